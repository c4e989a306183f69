// SDM, "IRET/IRETD/IRETQ—Interrupt Return", to the same and to an outer privilege level, in and to
// virtual-8086 mode, and from a nested task.
import { GP, raise } from '../interrupt/exceptions.js';
import { keepingRegisters } from '../interrupt/keep-registers.js';
import { isQuiet } from '../interrupt/pending-bits.js';
import { sdm } from '../manual/sdm.js';
import { isNull } from '../memory/segment-descriptor.js';
import { enterVirtual8086Segments, loadVirtual8086Segment } from '../memory/virtual-8086-segment.js';
import { type Halves, wholeOf } from '../register/halves.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS, RFLAGS_EXISTING, RFLAGS_FIXED } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { taskOfReturn } from '../task/task-descriptor.js';
import { switchTask, TASK_REGISTERS } from '../task/task-switch.js';
import { checkReturn, enterCode, enterRealCode, entersLongCode, type FarTarget } from './code-segment.js';
import { defineInstruction } from './define.js';
import { returnToOuterStack } from './far-transfer.js';
import { mergeFlags, writableFlags } from './flags-on-stack.js';
import { loadSegment } from './segment-load.js';
import { moveStackTop, StackCursor } from './stack-cursor.js';
import { flagsFromVirtual, isHeldBack, needsMonitor } from './virtual-8086.js';

const RF = 1 << RFLAGS.bits.RF;
const VM = 1 << RFLAGS.bits.VM;
const VIRTUAL_INTERRUPTS = (1 << RFLAGS.bits.VIF) | (1 << RFLAGS.bits.VIP);
const LOW_WORD = 0xffff;
const [RSP, RIP] = [slotOf('RSP'), slotOf('RIP')];
const NMI_BLOCKED = slotOf('nmiBlocked');

type Bytes = 2 | 4 | 8;

/** IRET restores RF, and at CPL 0 the virtual interrupt flags, which POPF does not. */
function restoredFlags(cpu: Cpu, { low }: Halves, bytes: Bytes): number {
  const mask = writableFlags(cpu) | RF | (cpu.CPL === 0 ? VIRTUAL_INTERRUPTS : 0);
  return mergeFlags(cpu, low, bytes === 2 ? mask & LOW_WORD : mask);
}

function returnInRealMode(cpu: Cpu, bytes: Bytes): void {
  const top = new StackCursor(cpu);
  const [offset, code, flags] = [top.pop(bytes), top.pop(bytes), top.pop(bytes)];
  const restored = restoredFlags(cpu, flags, bytes);
  enterRealCode(cpu, code.low & LOW_WORD, wholeOf(offset.low, offset.high));
  top.commit();
  cpu.EFLAGS = restored;
}

function returnToTask(cpu: Cpu): void {
  const task = taskOfReturn(cpu);
  switchTask(cpu, task, { by: 'return', ext: 0, source: 'IRET', flags: cpu.RFLAGS.value, instructionPointer: cpu.RIP });
}

/** The rest of the frame that an interrupt of virtual-8086 mode left: all of RFLAGS is taken. */
function returnToVirtual8086Mode(cpu: Cpu, top: StackCursor, offset: Halves, code: Halves, flags: Halves): void {
  const pointer = top.pop(4);
  const [SS, ES, DS, FS, GS] = [selector(top), selector(top), selector(top), selector(top), selector(top)];
  if (offset.low >>> 0 > LOW_WORD) raise(GP(0), 'core.far-transfer.offset');
  cpu.RFLAGS.value = BigInt((flags.low & RFLAGS_EXISTING) | RFLAGS_FIXED);
  enterVirtual8086Segments(cpu, { CS: code.low & LOW_WORD, SS, ES, DS, FS, GS });
  cpu.writeWords(RSP, pointer.low, 0);
  cpu.writeWords(RIP, offset.low, 0);
}

const selector = (top: StackCursor): number => top.pop(4).low & LOW_WORD;

function returnInVirtual8086Mode(cpu: Cpu, bytes: Bytes): void {
  const top = new StackCursor(cpu);
  const [offset, code, flags] = [top.pop(bytes), top.pop(bytes), top.pop(bytes)];
  if (offset.low >>> 0 > LOW_WORD) raise(GP(0), 'core.far-transfer.offset');
  const held = isHeldBack(cpu);
  const restored = held ? Number(flagsFromVirtual(cpu, BigInt(flags.low >>> 0))) : restoredFlags(cpu, flags, bytes);
  loadVirtual8086Segment(cpu, 'CS', code.low & LOW_WORD);
  cpu.writeWords(RIP, offset.low, 0);
  top.commit();
  cpu.EFLAGS = restored;
}

/** In protected and compatibility mode the stack holds a stack pointer and SS only for a return to an outer level. */
function returnInProtectedMode(cpu: Cpu, bytes: Bytes): void {
  const top = new StackCursor(cpu);
  const offset = top.pop(bytes);
  const code = top.pop(bytes);
  const flags = top.pop(bytes);
  if (bytes === 4 && (flags.low & VM) !== 0 && cpu.CPL === 0 && !cpu.EFER.LMA) {
    returnToVirtual8086Mode(cpu, top, offset, code, flags);
    return;
  }
  const target = checkReturn(cpu, code.low & LOW_WORD, offset);
  const restored = restoredFlags(cpu, flags, bytes); // what may be changed depends on the CPL before
  if (target.descriptor.rpl > cpu.CPL) {
    const pointer = top.pop(bytes);
    const stack = top.pop(bytes);
    returnToOuterStack(cpu, target, stack.low & LOW_WORD, pointer);
  } else {
    enterCode(cpu, target, cpu.CPL);
    moveStackTop(cpu, top); // as wide as it is in the code returned to
  }
  cpu.EFLAGS = restored;
}

/** In 64-bit mode RSP and SS are popped whatever the level returned to. */
function returnIn64BitMode(cpu: Cpu, bytes: Bytes): void {
  const top = new StackCursor(cpu);
  const offset = top.pop(bytes);
  const code = top.pop(bytes);
  const flags = top.pop(bytes);
  const pointer = top.pop(bytes);
  const stack = top.pop(bytes).low & LOW_WORD;
  const target = checkReturn(cpu, code.low & LOW_WORD, offset);
  const restored = restoredFlags(cpu, flags, bytes); // what may be changed depends on the CPL before
  if (target.descriptor.rpl > cpu.CPL) returnToOuterStack(cpu, target, stack, pointer);
  else returnToSameLevel(cpu, target, stack, pointer);
  cpu.EFLAGS = restored;
}

function returnToSameLevel(cpu: Cpu, target: FarTarget, stack: number, pointer: Halves): void {
  if (isNull(stack) && !entersLongCode(cpu, target)) raise(GP(0), 'core.iret.ss-null');
  loadSegment(cpu, 'SS', stack);
  enterCode(cpu, target, cpu.CPL);
  moveStackTop(cpu, pointer);
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
      if (!isQuiet(cpu)) cpu.draft.runner.attend(); // for an NMI that waited
      cpu.writeWords(NMI_BLOCKED, 0, 0); // not before the last check: a fault of IRET leaves NMIs blocked
    },
  }),
);
