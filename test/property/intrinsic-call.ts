// Calls of intrinsics with operands that are valid or nearly so: each machine's intrinsics are asked of its definition, so
// that an instruction that is added later is drawn too. Operands are drawn by the word that the declaration gives them.
import type { InstalledIntrinsic, IntrinsicExecuted } from '@retrovisor/core';
import fc from 'fast-check';
import { type Kind, type MachinePlan, makeMachine } from './machine-plan.js';
import { VMCS_REGIONS } from './virtualization.js';

/** VMCSs, a VMXON region, and regions that are misaligned, wrong or absent. */
const REGIONS = [
  ...VMCS_REGIONS,
  ...VMCS_REGIONS,
  0x50_0000n,
  0x50_0800n,
  0x50_4000n,
  0x40_0000n,
  0n,
  0xff_f000n,
  0x100_0000n,
  2n ** 52n,
  0xffff_8000_0000_0000n,
];
const MSRS = [
  0x10n,
  0x1bn,
  0x3an,
  0x174n,
  0x1a0n,
  0x277n,
  0x480n,
  0x481n,
  0x48bn,
  0x491n,
  0xc000_0080n,
  0xc000_0081n,
  0xc000_0082n,
  0xc000_0100n,
  0xc000_0102n,
  0xc000_0103n,
  0xc001_0114n,
  0xc001_0117n,
  0xc001_0118n,
  0x200n,
  0x201n,
  0x2ffn,
  0x1234n,
];
const FIELDS = [
  0n,
  0x800n,
  0x2000n,
  0x2001n,
  0x2800n,
  0x4000n,
  0x4002n,
  0x4400n,
  0x4402n,
  0x6000n,
  0x6400n,
  0x681en,
  0x6c16n,
  0x7000n,
  0xffffn,
];
const LEAVES = [0n, 1n, 4n, 7n, 0xbn, 0xdn, 0x8000_0000n, 0x8000_0001n, 0x8000_0008n, 0x8000_000an, 0x4000_0000n];
/** Control-register values: what boot leaves, with VMXE, without NE, without PG, with reserved bits. */
const CONTROLS = [
  0x8001_0031n,
  0x8001_0011n,
  0x20n,
  0x2020n,
  0x20a0n,
  0x1000n,
  0x3000n,
  0x11n,
  0x8000_0021n,
  0xffff_ffff_ffff_ffffn,
];
const EFERS = [0x901n, 0xd01n, 0x1d01n, 0x500n, 0x1501n];

const any = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const drawn = (values: readonly bigint[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: any });
const anything = fc.oneof(drawn(REGIONS), drawn(CONTROLS), drawn(EFERS), fc.constantFrom(0n, 1n, 5n, 7n), any);

function operand(intrinsic: string, word: string): fc.Arbitrary<bigint> {
  if (word === 'field') return drawn(FIELDS);
  if (word === 'address') return drawn(REGIONS);
  if (word === 'RAX' && /^vm(load|save|run)$/.test(intrinsic)) return drawn(REGIONS);
  if (word === 'RCX' && /msr/.test(intrinsic)) return drawn(MSRS);
  if (word === 'RAX' && intrinsic === 'cpuid') return drawn(LEAVES);
  return /cr\d?/i.test(intrinsic) ? drawn(CONTROLS) : anything;
}

const byKind = new Map<Kind, readonly InstalledIntrinsic[]>();

function intrinsicsOf(kind: Kind): readonly InstalledIntrinsic[] {
  let list = byKind.get(kind);
  if (list === undefined) {
    list = [...makeMachine({ kind, processors: 1, quantum: 1 }).definition.intrinsics.values()];
    byKind.set(kind, list);
  }
  return list;
}

function wordsOf({ shape }: InstalledIntrinsic): readonly string[] {
  return [...shape.operands.flatMap((each) => ('in' in each ? [each.in] : [])), ...(shape.registers ?? [])];
}

/** Calls that succeed where virtualization is on. */
const BRING_UP: Readonly<Record<Kind, readonly (readonly [intrinsic: string, ...operands: bigint[]])[]>> = {
  core: [],
  intel: [
    ['wrmsr', 0x3an, 5n],
    ['movToCr4', 0x2020n],
    ['vmxon', 0x50_0000n],
    ['vmclear', 0x50_1000n],
    ['vmptrld', 0x50_1000n],
    ['vmwrite', 0x681en, 0x1234n],
    ['vmread', 0x681en],
    ['vmptrst'],
  ],
  amd: [['wrmsr', 0xc000_0080n, 0x1d01n], ['vmsave', 0x50_0000n], ['vmload', 0x50_0000n], ['clgi'], ['stgi']],
};

/** One call on any processor of a machine. */
export function intrinsicCall({ kind, processors }: MachinePlan): fc.Arbitrary<IntrinsicExecuted> {
  const call = (processor: number, intrinsic: string, operands: readonly bigint[]): IntrinsicExecuted => ({
    type: 'processor/intrinsicExecuted',
    processor,
    intrinsic,
    operands,
  });
  const list = intrinsicsOf(kind);
  const free = fc
    .tuple(fc.nat(processors - 1), fc.constantFrom(...list))
    .chain(([processor, intrinsic]) =>
      fc
        .tuple(...wordsOf(intrinsic).map((word) => operand(intrinsic.name, word)))
        .map((operands) => call(processor, intrinsic.name, operands)),
    );
  const known = BRING_UP[kind].filter(([name]) => list.some((each) => each.name === name));
  if (known.length === 0) return free;
  const step = fc
    .tuple(fc.nat(processors - 1), fc.constantFrom(...known))
    .map(([processor, [name, ...operands]]) => call(processor, name, operands));
  return fc.oneof(free, step);
}
