// SDM, "INVPCID—Invalidate Process-Context Identifier". What it invalidates counts where a plugin models
// the TLB; elsewhere no translation that is kept differs from the tables in memory.
import { GP } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { isCanonicalForProcessor } from '../memory/canonical.js';
import type { Invalidation } from '../memory/translation-buffer.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow, type IntrinsicShape } from './define.js';
import type { Operand } from './operand.js';
import { operandAt, privileged } from './privilege.js';

/** Individual address, single context, all contexts with globals, all contexts without. */
const TYPE = { individualAddress: 0n, singleContext: 1n, allWithGlobals: 2n, all: 3n } as const;
const PCID = 0xfffn;

interface Descriptor {
  readonly first: bigint;
  readonly linear: bigint;
}

const typeOf = (operands: readonly Operand[]): bigint => operandAt(operands, 0).read();

/** The 16 bytes of the second operand; the caller of an intrinsic gives the two halves. */
function descriptorOf(operands: readonly Operand[]): Descriptor {
  const [memory, linear] = [operandAt(operands, 1), operands[2]];
  if (linear !== undefined) return { first: memory.read(), linear: linear.read() };
  const bytes = new DataView(memory.readBytes(16).buffer);
  return { first: bytes.getBigUint64(0, true), linear: bytes.getBigUint64(8, true) };
}

/** Only the type for all contexts with globals reaches global translations. */
function invalidation(type: bigint, pcid: number, address: bigint): Invalidation {
  if (type === TYPE.individualAddress) return { address, pcid, globals: false };
  if (type === TYPE.singleContext) return { pcid, globals: false };
  return { globals: type === TYPE.allWithGlobals };
}

const row = (
  subject: string,
  explain: string,
  refused: (cpu: Cpu, type: bigint, descriptor: Descriptor) => boolean,
  fields: readonly string[] = [],
): FaultRow => ({
  id: `core.invpcid.${subject}`,
  fields: ({ operands }) => [...fields, ...operands.flatMap((operand) => operand.place() ?? [])],
  when: (cpu, operands) => refused(cpu, typeOf(operands), descriptorOf(operands)),
  raise: GP(0),
  explain,
});

const SHAPE = {
  operands: [{ in: 'type' }, { in: 'pcid' }, { in: 'address' }],
} as const satisfies IntrinsicShape;

export const INVPCID = defineInstruction({
  mnemonic: 'INVPCID',
  manual: sdm('INVPCID—Invalidate Process-Context Identifier'),
  reads: ['CR4.PCIDE', 'SS.attributes'],
  writes: [],
  flags: 'unaffected',
  faults: [
    privileged('INVPCID'),
    row('type', 'The type, in the register operand, is 0 to 3.', (_cpu, type) => type > TYPE.all),
    row('reserved', 'Bits 63:12 of the descriptor are reserved: write them as 0.', (_cpu, _type, { first }) => {
      return (first & ~PCID) !== 0n;
    }),
    row(
      'pcid',
      'Without CR4.PCIDE the only process-context identifier is 0.',
      (cpu, type, { first }) => type <= TYPE.singleContext && !cpu.CR4.PCIDE && (first & PCID) !== 0n,
      ['CR4.PCIDE'],
    ),
    row('canonical', 'The linear address in the descriptor must be canonical.', (cpu, type, { linear }) => {
      return type === TYPE.individualAddress && !isCanonicalForProcessor(cpu, linear);
    }),
  ],
  intrinsics: { invpcid: SHAPE },
  effect(cpu, operands) {
    const { first, linear } = descriptorOf(operands);
    cpu.draft.flushTlb(invalidation(typeOf(operands), Number(first & PCID), linear));
  },
});
