// SDM, "Miscellaneous Instructions", and hints and fences of other groups: what has no effect on a machine that keeps
// memory in order and models no caches.
import { constant, faultIf, flag, select, truncate, write } from '../expression/build.js';
import { UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import { accumulator, widthOf } from './implicit-operands.js';

export const LEA = defineInstruction({
  mnemonic: 'LEA',
  manual: sdm('LEA—Load Effective Address'),
  effect: ({ dst, address }) => [write(dst, truncate(address, widthOf(dst)))],
});

export const XLATB = defineInstruction({
  mnemonic: 'XLATB',
  manual: sdm('XLAT/XLATB—Table Look-up Translation'),
  effect: ({ dst }) => [write(accumulator(8), dst)], // the operand is the byte at RBX + AL
});

/** AL becomes CF in every bit. The manual's table is blank at D6H; processors have it since the 8086, but for 64-bit mode. */
export const SALC = defineInstruction({
  mnemonic: 'SALC',
  manual: sdm('One, Two, and Three-Byte Opcode Maps'),
  effect: () => [write(accumulator(8), select(flag('CF'), constant(8, 0xffn), constant(8, 0n)))],
});

/** Memory operands of these are never accessed: an address that is not mapped does not fault. */
export const NO_OPERATIONS = (
  [
    ['NOP', 'NOP—No Operation'],
    ['RESERVEDNOP', 'NOP—No Operation'],
    ['ENDBR32', 'ENDBR32—Terminate an Indirect Branch in 32-bit and Compatibility Mode'],
    ['ENDBR64', 'ENDBR64—Terminate an Indirect Branch in 64-bit Mode'],
    // As long as there are no shadow stacks: the register keeps its value.
    ['RDSSPD', 'RDSSPD/RDSSPQ—Read Shadow Stack Pointer'],
    ['RDSSPQ', 'RDSSPD/RDSSPQ—Read Shadow Stack Pointer'],
    ['PREFETCHNTA', 'PREFETCHh—Prefetch Data Into Caches'],
    ['PREFETCHT0', 'PREFETCHh—Prefetch Data Into Caches'],
    ['PREFETCHT1', 'PREFETCHh—Prefetch Data Into Caches'],
    ['PREFETCHT2', 'PREFETCHh—Prefetch Data Into Caches'],
    ['PREFETCHIT0', 'PREFETCHh—Prefetch Data Into Caches'],
    ['PREFETCHIT1', 'PREFETCHh—Prefetch Data Into Caches'],
    // AMD's PREFETCH, and the rest of 0FH 0DH, which processors without its name take for a NOP.
    ['PREFETCH', 'PREFETCHW—Prefetch Data Into Caches in Anticipation of a Write'],
    ['PREFETCHWT1', 'PREFETCHW—Prefetch Data Into Caches in Anticipation of a Write'],
    ['PREFETCHW', 'PREFETCHW—Prefetch Data Into Caches in Anticipation of a Write'],
    ['CLDEMOTE', 'CLDEMOTE—Cache Line Demote'],
    ['SERIALIZE', 'SERIALIZE—Serialize Instruction Execution'],
    ['LFENCE', 'LFENCE—Load Fence'],
    ['MFENCE', 'MFENCE—Memory Fence'],
    ['SFENCE', 'SFENCE—Store Fence'],
  ] as const
).map(([mnemonic, title]) => defineInstruction({ mnemonic, manual: sdm(title), effect: () => [] }));

/** UD2 and its kin exist to raise #UD; UD0 and UD1 need not even have a ModR/M byte that makes sense. */
export const UNDEFINED = ['UD0', 'UD1', 'UD2'].map((mnemonic) =>
  defineInstruction({
    mnemonic,
    manual: sdm('UD—Undefined Instruction'),
    effect: () => [faultIf(constant(1, 1n), UD, 'core.ud.always')],
  }),
);
