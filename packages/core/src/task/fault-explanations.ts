// One flat table: what `why` says of the checks of a task switch, which are made while it is under way.
import type { FaultExplanation } from '../interrupt/fault-explanations.js';
import { sdm } from '../manual/sdm.js';

const SWITCH = sdm('Task Switching');
const TSS = sdm('TSS Descriptor');
const GDT = ['GDTR.base', 'GDTR.limit'];
const TASK = ['TR.base', ...GDT];
const NEW_TASK = 'The exception is raised in the new task.';

/** By rule id. */
export const TASK_SWITCH_FAULTS: Readonly<Record<string, FaultExplanation>> = {
  'core.task-switch.dpl': {
    manual: TSS,
    explain: 'Neither CPL nor RPL may be above the DPL of the TSS descriptor or task gate.',
    fields: [...GDT, 'SS.attributes'],
  },
  'core.task-switch.gate-present': {
    manual: sdm('Task-Gate Descriptor'),
    explain: 'The task gate must be present.',
    fields: GDT,
  },
  'core.task-switch.selector': {
    manual: TSS,
    explain: 'The selector of a TSS must lie within the GDT; an LDT holds none.',
    fields: TASK,
  },
  'core.task-switch.type': {
    manual: TSS,
    explain: 'The task must be available, or busy if IRET returns to it: tasks are not recursive.',
    fields: TASK,
  },
  'core.task-switch.present': { manual: TSS, explain: 'The TSS must be present.', fields: TASK },
  'core.task-switch.limit': {
    manual: TSS,
    explain: 'The limit of a TSS must be 67H or more, of a 16-bit one 2BH.',
    fields: GDT,
  },
  'core.task-switch.old-limit': {
    manual: TSS,
    explain: 'The TSS of the current task must have room for its state: load TR with one that is long enough.',
    fields: ['TR.limit', 'TR.attributes'],
  },
  'core.task-switch.ldt': {
    manual: SWITCH,
    explain: `The LDT of the new task must be an LDT in the GDT. ${NEW_TASK}`,
    fields: TASK,
  },
  'core.task-switch.ldt-present': {
    manual: SWITCH,
    explain: `The LDT of the new task must be present. ${NEW_TASK}`,
    fields: TASK,
  },
  'core.task-switch.cs': {
    manual: SWITCH,
    explain: `CS of the new task must name a code segment. ${NEW_TASK}`,
    fields: ['CS.selector', ...TASK],
  },
  'core.task-switch.cs-dpl': {
    manual: SWITCH,
    explain: `DPL of the new code segment must be its RPL, of a conforming one at most that. ${NEW_TASK}`,
    fields: ['CS.selector', ...TASK],
  },
  'core.task-switch.cs-present': {
    manual: SWITCH,
    explain: `The code segment of the new task must be present. ${NEW_TASK}`,
    fields: ['CS.selector', ...TASK],
  },
  'core.task-switch.ss': {
    manual: SWITCH,
    explain: `SS of the new task must name a writable data segment. ${NEW_TASK}`,
    fields: ['SS.selector', ...TASK],
  },
  'core.task-switch.ss-dpl': {
    manual: SWITCH,
    explain: `DPL and RPL of the new stack segment must be the new CPL. ${NEW_TASK}`,
    fields: ['CS.selector', 'SS.selector', ...TASK],
  },
  'core.task-switch.ss-present': {
    manual: SWITCH,
    explain: `The stack segment of the new task must be present. ${NEW_TASK}`,
    fields: ['SS.selector', ...TASK],
  },
  'core.task-switch.data': {
    manual: SWITCH,
    explain: `A data segment register of the new task takes null, data or readable code. ${NEW_TASK}`,
    fields: TASK,
  },
  'core.task-switch.data-dpl': {
    manual: SWITCH,
    explain: `Neither the new CPL nor RPL may be above the DPL of data or non-conforming code. ${NEW_TASK}`,
    fields: ['CS.selector', ...TASK],
  },
  'core.task-switch.data-present': {
    manual: SWITCH,
    explain: `The data segments of the new task must be present. ${NEW_TASK}`,
    fields: TASK,
  },
  'core.task-switch.ip': {
    manual: SWITCH,
    explain: `EIP of the new task must lie within the limit of CS. ${NEW_TASK}`,
    fields: ['RIP', 'CS.limit'],
  },
};
