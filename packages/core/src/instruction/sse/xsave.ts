// SDM, "Managing State Using the XSAVE Feature Set": XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR and XRSTORS for the two state
// components that there are, x87 and SSE. The modified optimization is not made: what is in use is always written. No
// component is a supervisor one, so that XSAVES and XRSTORS differ by their format and privilege alone.
import { GP, NM, UD } from '../../interrupt/exceptions.js';
import { type SdmTitle, sdm } from '../../manual/sdm.js';
import type { Cpu } from '../../state/cpu.js';
import { defineInstruction, type FaultRow } from '../define.js';
import type { Operand } from '../operand.js';
import { operandAt, privileged } from '../privilege.js';
import { MXCSR_MASK } from './control-and-status.js';
import {
  IMAGE_BYTES,
  INITIAL_MXCSR,
  INITIAL_X87,
  mxcsrOf,
  mxcsrPart,
  type Part,
  readImage,
  restoreVectors,
  restoreX87,
  valueAt,
  vectorPart,
  vectorsOf,
  writeParts,
  x87Parts,
} from './state-image.js';

/** Bytes of an area that holds both components. */
const AREA_BYTES = IMAGE_BYTES + 64;
const [XSTATE_BV, XCOMP_BV, HEADER_REST] = [IMAGE_BYTES, IMAGE_BYTES + 8, IMAGE_BYTES + 16];

const [X87, SSE, AVX] = [1n, 2n, 4n];
const COMPACTED = 1n << 63n;
const ALIGNMENT = 63n;
const LOW_HALF = 0xffff_ffffn;

/** The components that EDX:EAX asks for and XCR0 has. */
const requested = (cpu: Cpu): bigint => (((cpu.RDX & LOW_HALF) << 32n) | (cpu.RAX & LOW_HALF)) & cpu.read('XCR0');

/** The components that are not in their initial configuration. MXCSR counts for SSE. */
export function componentsInUse(cpu: Cpu): bigint {
  const x87 = Object.entries(INITIAL_X87).some(([name, initial]) => cpu.read(name) !== initial);
  const sse = cpu.read('MXCSR') !== INITIAL_MXCSR || vectorsOf(cpu).some((name) => cpu.read(name) !== 0n);
  return (x87 ? X87 : 0n) | (sse ? SSE : 0n);
}

const addressOf = (operands: readonly Operand[], access: 'read' | 'write'): bigint =>
  operandAt(operands, 0).linear(access) ?? 0n;

function quadword(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

function commonFaults(id: string, access: 'read' | 'write'): readonly FaultRow[] {
  return [
    {
      id: `core.${id}.osxsave`,
      fields: ['CR4.OSXSAVE'],
      when: (cpu) => !cpu.CR4.OSXSAVE,
      raise: UD,
      explain: 'The XSAVE instructions need CR4.OSXSAVE.',
    },
    {
      id: `core.${id}.task-switched`,
      fields: ['CR0.TS'],
      when: (cpu) => cpu.CR0.TS,
      raise: NM,
      explain: 'CR0.TS = 1: the registers still belong to another task.',
    },
    {
      id: `core.${id}.alignment`,
      when: (_cpu, operands) => (addressOf(operands, access) & ALIGNMENT) !== 0n,
      raise: GP(0),
      explain: 'An XSAVE area lies at a multiple of 64 bytes.',
    },
  ];
}

/** How a saving instruction differs from XSAVE. */
interface SaveRow {
  readonly mnemonic: string;
  readonly title: SdmTitle;
  /** Components in their initial configuration are not written. */
  readonly skipsInitial: boolean;
  readonly compacts: boolean;
  readonly isPrivileged: boolean;
}

const SAVES: readonly SaveRow[] = [
  {
    mnemonic: 'XSAVE',
    title: 'XSAVE—Save Processor Extended States',
    skipsInitial: false,
    compacts: false,
    isPrivileged: false,
  },
  {
    mnemonic: 'XSAVEOPT',
    title: 'XSAVEOPT—Save Processor Extended States Optimized',
    skipsInitial: true,
    compacts: false,
    isPrivileged: false,
  },
  {
    mnemonic: 'XSAVEC',
    title: 'XSAVEC—Save Processor Extended States With Compaction',
    skipsInitial: true,
    compacts: true,
    isPrivileged: false,
  },
  {
    mnemonic: 'XSAVES',
    title: 'XSAVES—Save Processor Extended States Supervisor',
    skipsInitial: true,
    compacts: true,
    isPrivileged: true,
  },
];

/** What is written: components, MXCSR, and the header. Standard forms keep the bits of components not asked for. */
function partsToSave(cpu: Cpu, { skipsInitial, compacts }: SaveRow, wide: boolean, address: bigint): readonly Part[] {
  const wanted = requested(cpu);
  const used = wanted & componentsInUse(cpu);
  const saved = skipsInitial ? used : wanted;
  const savesMxcsr = compacts ? (saved & SSE) !== 0n : (wanted & (SSE | AVX)) !== 0n;
  const kept = compacts ? 0n : valueAt(readImage(cpu, address + BigInt(XSTATE_BV), 8), 0, 8) & ~wanted;
  return [
    ...((saved & X87) === 0n ? [] : x87Parts(cpu, wide)),
    ...(savesMxcsr ? [mxcsrPart(cpu)] : []),
    ...((saved & SSE) === 0n ? [] : [vectorPart(cpu)]),
    { offset: XSTATE_BV, bytes: quadword(kept | used) },
    ...(compacts ? [{ offset: XCOMP_BV, bytes: quadword(COMPACTED | wanted) }] : []),
  ];
}

const SAVED_STATE = ['XCR0', 'RAX', 'RDX', 'FCW', 'FSW', 'FTW', 'FOP', 'FIP', 'FDP', 'MXCSR'];

/** With REX.W the x87 pointers are 64 bits wide. */
const forms = (mnemonic: string): readonly (readonly [string, boolean])[] => [
  [mnemonic, false],
  [`${mnemonic}64`, true],
];

export const XSAVE = SAVES.flatMap((row) =>
  forms(row.mnemonic).map(([mnemonic, wide]) =>
    defineInstruction({
      mnemonic,
      manual: sdm(row.title),
      reads: [...SAVED_STATE, 'CR4.OSXSAVE', 'CR0.TS'],
      writes: [],
      flags: 'unaffected',
      faults: [
        ...commonFaults(mnemonic.toLowerCase(), 'write').slice(0, 2),
        ...(row.isPrivileged ? [privileged(mnemonic)] : []),
        ...commonFaults(mnemonic.toLowerCase(), 'write').slice(2),
      ],
      effect(cpu, operands) {
        const address = addressOf(operands, 'write');
        writeParts(cpu, address, partsToSave(cpu, row, wide, address));
      },
    }),
  ),
);

/** The header of the area that an instruction restores from. */
interface Header {
  readonly image: Uint8Array;
  readonly state: bigint;
  readonly format: bigint;
}

function headerOf(cpu: Cpu, operands: readonly Operand[]): Header {
  const image = readImage(cpu, addressOf(operands, 'read'), AREA_BYTES);
  return { image, state: valueAt(image, XSTATE_BV, 8), format: valueAt(image, XCOMP_BV, 8) };
}

const isCompacted = ({ format }: Header): boolean => (format & COMPACTED) !== 0n;

/** SDM, "Standard Form of XRSTOR" and "Compacted Form of XRSTOR": what the header may not have. */
function isBadHeader(cpu: Cpu, header: Header): boolean {
  const { image, state, format } = header;
  const enabled = cpu.read('XCR0');
  const restIsZero = image
    .subarray(HEADER_REST, isCompacted(header) ? AREA_BYTES : HEADER_REST + 8)
    .every((byte) => byte === 0);
  if (!isCompacted(header)) return (state & ~enabled) !== 0n || format !== 0n || !restIsZero;
  const components = format & ~COMPACTED;
  return (components & ~enabled) !== 0n || (state & ~components) !== 0n || !restIsZero;
}

/** MXCSR is loaded with SSE; in the standard form also if the area says that SSE is initial, and with AVX. */
function loadsMxcsr(cpu: Cpu, header: Header): boolean {
  const wanted = requested(cpu);
  return isCompacted(header) ? (wanted & header.state & SSE) !== 0n : (wanted & (SSE | AVX)) !== 0n;
}

function restoreArea(cpu: Cpu, header: Header, wide: boolean): void {
  const wanted = requested(cpu);
  const { image, state } = header;
  if ((wanted & X87) !== 0n) {
    if ((state & X87) !== 0n) restoreX87(cpu, image, wide);
    else for (const [name, initial] of Object.entries(INITIAL_X87)) cpu.set(name, initial);
  }
  if (loadsMxcsr(cpu, header)) cpu.set('MXCSR', mxcsrOf(image));
  else if (isCompacted(header) && (wanted & SSE) !== 0n) cpu.set('MXCSR', INITIAL_MXCSR);
  if ((wanted & SSE) === 0n) return;
  if ((state & SSE) !== 0n) restoreVectors(cpu, image);
  else for (const name of vectorsOf(cpu)) cpu.set(name, 0n);
}

const RESTORES = [
  { mnemonic: 'XRSTOR', title: 'XRSTOR—Restore Processor Extended States', isPrivileged: false },
  { mnemonic: 'XRSTORS', title: 'XRSTORS—Restore Processor Extended States Supervisor', isPrivileged: true },
] as const satisfies readonly { mnemonic: string; title: SdmTitle; isPrivileged: boolean }[];

export const XRSTOR = RESTORES.flatMap((row) =>
  forms(row.mnemonic).map(([mnemonic, wide]) => {
    const id = mnemonic.toLowerCase();
    return defineInstruction({
      mnemonic,
      manual: sdm(row.title),
      reads: ['XCR0', 'RAX', 'RDX', 'CR4.OSXSAVE', 'CR0.TS'],
      writes: ['FCW', 'FSW', 'FTW', 'FOP', 'FIP', 'FDP', 'MXCSR'],
      flags: 'unaffected',
      faults: [
        ...commonFaults(id, 'read').slice(0, 2),
        ...(row.isPrivileged ? [privileged(mnemonic)] : []),
        ...commonFaults(id, 'read').slice(2),
        {
          id: `core.${id}.header`,
          fields: ['XCR0'],
          when: (cpu, operands) => {
            const header = headerOf(cpu, operands);
            return isBadHeader(cpu, header) || (row.isPrivileged && !isCompacted(header));
          },
          raise: GP(0),
          explain:
            'XSTATE_BV and XCOMP_BV name components of XCR0 only, the rest of the header is 0, and XRSTORS takes the compacted form.',
        },
        {
          id: `core.${id}.mxcsr`,
          fields: ['RAX', 'RDX', 'XCR0'],
          when: (cpu, operands) => {
            const header = headerOf(cpu, operands);
            return loadsMxcsr(cpu, header) && (mxcsrOf(header.image) & ~MXCSR_MASK) !== 0n;
          },
          raise: GP(0),
          explain: 'Bits 31:16 of the MXCSR in the area are reserved: they must be 0.',
        },
      ],
      effect: (cpu, operands) => restoreArea(cpu, headerOf(cpu, operands), wide),
    });
  }),
);
