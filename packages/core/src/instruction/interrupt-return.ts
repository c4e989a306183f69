// SDM, "IRET/IRETD/IRETQ—Interrupt Return", to the same and to an outer privilege level, in and to
// virtual-8086 mode, and from a nested task.
import { GP, raise } from '../interrupt/exceptions.js';
import { keepingRegisters } from '../interrupt/keep-registers.js';
import { sdm } from '../manual/sdm.js';
import { isNull } from '../memory/segment-descriptor.js';
import { enterVirtual8086Segments, loadVirtual8086Segment } from '../memory/virtual-8086-segment.js';
import { RFLAGS, RFLAGS_EXISTING, RFLAGS_FIXED } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { taskOfReturn } from '../task/task-descriptor.js';
import { switchTask, TASK_REGISTERS } from '../task/task-switch.js';
import { checkReturn, enterCode, enterRealCode, entersLongCode, type FarTarget } from './code-segment.js';
import { defineInstruction } from './define.js';
import { returnToOuterStack } from './far-transfer.js';
import { mergeFlags, writableFlags } from './flags-on-stack.js';
import { loadSegment } from './segment-load.js';
import { moved, popped, setStackTop, stackLoad } from './stack-access.js';
import { flagsFromVirtual, isHeldBack, needsMonitor } from './virtual-8086.js';

const RF = 1n << BigInt(RFLAGS.bits.RF);
const VM = 1n << BigInt(RFLAGS.bits.VM);
const VIRTUAL_INTERRUPTS = (1n << BigInt(RFLAGS.bits.VIF)) | (1n << BigInt(RFLAGS.bits.VIP));
const LOW_WORD = 0xffffn;
const LOADED = BigInt(RFLAGS_EXISTING);
const FIXED = BigInt(RFLAGS_FIXED);

type Bytes = 2 | 4 | 8;

/** IRET restores RF, and at CPL 0 the virtual interrupt flags, which POPF does not. */
function restoredFlags(cpu: Cpu, value: bigint, bytes: Bytes): bigint {
  const mask = writableFlags(cpu) | RF | (cpu.CPL === 0 ? VIRTUAL_INTERRUPTS : 0n);
  return mergeFlags(cpu, value, bytes === 2 ? mask & LOW_WORD : mask);
}

function returnInRealMode(cpu: Cpu, bytes: Bytes): void {
  const {
    values: [offset = 0n, code = 0n, flags = 0n],
    top,
  } = popped(cpu, bytes, 3);
  const restored = restoredFlags(cpu, flags, bytes);
  enterRealCode(cpu, Number(code & LOW_WORD), offset);
  setStackTop(cpu, top);
  cpu.RFLAGS.value = restored;
}

function returnToTask(cpu: Cpu): void {
  const task = taskOfReturn(cpu);
  switchTask(cpu, task, { by: 'return', ext: 0, flags: cpu.RFLAGS.value, instructionPointer: cpu.RIP });
}

/** The frame that an interrupt of virtual-8086 mode left: all of RFLAGS is taken. */
function returnToVirtual8086Mode(cpu: Cpu): void {
  const { values } = popped(cpu, 4, 9);
  const [offset = 0n, code, flags = 0n, pointer = 0n, ...segments] = values;
  if (offset > LOW_WORD) raise(GP(0), 'core.far-transfer.offset');
  const [SS = 0, ES = 0, DS = 0, FS = 0, GS = 0] = segments.map((value) => Number(value & LOW_WORD));
  cpu.RFLAGS.value = (flags & LOADED) | FIXED;
  enterVirtual8086Segments(cpu, { CS: Number((code ?? 0n) & LOW_WORD), SS, ES, DS, FS, GS });
  cpu.RSP = pointer;
  cpu.RIP = offset;
}

function returnInVirtual8086Mode(cpu: Cpu, bytes: Bytes): void {
  const {
    values: [offset = 0n, code = 0n, flags = 0n],
    top,
  } = popped(cpu, bytes, 3);
  if (offset > LOW_WORD) raise(GP(0), 'core.far-transfer.offset');
  const restored = isHeldBack(cpu) ? flagsFromVirtual(cpu, flags) : restoredFlags(cpu, flags, bytes);
  loadVirtual8086Segment(cpu, 'CS', Number(code & LOW_WORD));
  cpu.RIP = offset;
  setStackTop(cpu, top);
  cpu.RFLAGS.value = restored;
}

/** In protected and compatibility mode the stack holds a stack pointer and SS only for a return to an outer level. */
function returnInProtectedMode(cpu: Cpu, bytes: Bytes): void {
  const {
    values: [offset = 0n, code = 0n, flags = 0n],
    top,
  } = popped(cpu, bytes, 3);
  if (bytes === 4 && (flags & VM) !== 0n && cpu.CPL === 0 && !cpu.EFER.LMA) {
    returnToVirtual8086Mode(cpu);
    return;
  }
  const target = checkReturn(cpu, Number(code & LOW_WORD), offset);
  const restored = restoredFlags(cpu, flags, bytes); // what may be changed depends on the CPL before
  if (target.descriptor.rpl > cpu.CPL) {
    const pointer = stackLoad(cpu, top, bytes);
    const stack = stackLoad(cpu, moved(cpu, top, bytes), bytes);
    returnToOuterStack(cpu, target, Number(stack & LOW_WORD), pointer);
  } else {
    enterCode(cpu, target, cpu.CPL);
    setStackTop(cpu, top);
  }
  cpu.RFLAGS.value = restored;
}

/** In 64-bit mode RSP and SS are popped whatever the level returned to. */
function returnIn64BitMode(cpu: Cpu, bytes: Bytes): void {
  const {
    values: [offset = 0n, code = 0n, flags = 0n, pointer = 0n, stack = 0n],
  } = popped(cpu, bytes, 5);
  const target = checkReturn(cpu, Number(code & LOW_WORD), offset);
  const restored = restoredFlags(cpu, flags, bytes); // what may be changed depends on the CPL before
  const selector = Number(stack & LOW_WORD);
  if (target.descriptor.rpl > cpu.CPL) returnToOuterStack(cpu, target, selector, pointer);
  else returnToSameLevel(cpu, target, selector, pointer);
  cpu.RFLAGS.value = restored;
}

function returnToSameLevel(cpu: Cpu, target: FarTarget, selector: number, pointer: bigint): void {
  if (isNull(selector) && !entersLongCode(cpu, target)) raise(GP(0), 'core.iret.ss-null');
  loadSegment(cpu, 'SS', selector);
  enterCode(cpu, target, cpu.CPL);
  setStackTop(cpu, pointer);
}

export const IRET = (
  [
    ['IRET', 2],
    ['IRETD', 4],
    ['IRETQ', 8],
  ] as const
).map(([mnemonic, bytes]) =>
  defineInstruction({
    mnemonic,
    manual: sdm('IRET/IRETD/IRETQ—Interrupt Return'),
    reads: ['RSP', 'RFLAGS', 'GDTR.base', 'GDTR.limit', 'LDTR.base', 'LDTR.limit', 'TR.base', 'SS.attributes'],
    writes: [...TASK_REGISTERS, 'nmiBlocked'],
    flags: 'popped, as far as CPL and IOPL allow',
    faults: [
      {
        id: `core.${mnemonic.toLowerCase()}.nt`,
        fields: ['RFLAGS.NT', 'IA32_EFER.LMA'],
        when: (cpu) => cpu.EFER.LMA && cpu.RFLAGS.NT,
        raise: GP(0),
        explain: 'IA-32e mode has no nested tasks: clear RFLAGS.NT.',
      },
      needsMonitor(mnemonic, bytes),
    ],
    effect(cpu) {
      keepingRegisters(cpu, () => {
        if (cpu.mode === 'real') returnInRealMode(cpu, bytes);
        else if (cpu.mode === '64-bit') returnIn64BitMode(cpu, bytes);
        else if (cpu.mode === 'virtual-8086') returnInVirtual8086Mode(cpu, bytes);
        else if (cpu.RFLAGS.NT) returnToTask(cpu);
        else returnInProtectedMode(cpu, bytes);
      });
      cpu.draft.runner.singleStepping.resumeFlagLoaded = true;
      cpu.draft.runner.attend(); // for an NMI that waited
      cpu.set('nmiBlocked', 0n); // not before the last check: a fault of IRET leaves NMIs blocked
    },
  }),
);
