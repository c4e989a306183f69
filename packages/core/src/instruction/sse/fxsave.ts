// SDM, "FXSAVE—Save x87 FPU, MMX Technology, and SSE State" and "FXRSTOR". While CR4.OSFXSR is 0 MXCSR and the XMM registers
// are left out, as the manual lets it. APM, "FXSAVE": with EFER.FFXSR the XMM registers are left out at CPL 0 in 64-bit mode.
import { GP, NM } from '../../interrupt/exceptions.js';
import { sdm } from '../../manual/sdm.js';
import type { Cpu } from '../../state/cpu.js';
import { defineInstruction, type FaultRow } from '../define.js';
import type { Operand } from '../operand.js';
import { operandAt } from '../privilege.js';
import { MXCSR_MASK } from './control-and-status.js';
import {
  IMAGE_BYTES,
  mxcsrOf,
  mxcsrPart,
  type Part,
  readImage,
  restoreVectors,
  restoreX87,
  vectorPart,
  writeParts,
  x87Parts,
} from './state-image.js';

const ALIGNMENT = 15n;

const hasVectors = (cpu: Cpu): boolean => cpu.CR4.OSFXSR && !(cpu.EFER.FFXSR && cpu.CPL === 0 && cpu.mode === '64-bit');

function faultsOf(mnemonic: string, access: 'read' | 'write'): readonly FaultRow[] {
  const id = `core.${mnemonic.toLowerCase()}`;
  return [
    {
      id: `${id}.not-available`,
      fields: ['CR0.EM', 'CR0.TS'],
      when: (cpu) => cpu.CR0.EM || cpu.CR0.TS,
      raise: NM,
      explain: 'CR0.EM and CR0.TS must be 0.',
    },
    {
      id: `${id}.alignment`,
      when: (_cpu, operands) => ((operandAt(operands, 0).linear(access) ?? 0n) & ALIGNMENT) !== 0n,
      raise: GP(0),
      explain: 'The image lies at a multiple of 16 bytes.',
    },
  ];
}

/** Where the image is. */
const addressOf = (operands: readonly Operand[], access: 'read' | 'write'): bigint =>
  operandAt(operands, 0).linear(access) ?? 0n;

const STATE = ['FCW', 'FSW', 'FTW', 'FOP', 'FIP', 'FDP', 'MXCSR'];

export const FXSAVE = ['FXSAVE', 'FXSAVE64'].map((mnemonic) =>
  defineInstruction({
    mnemonic,
    manual: sdm('FXSAVE—Save x87 FPU, MMX Technology, and SSE State'),
    reads: [...STATE, 'CR0.EM', 'CR0.TS', 'CR4.OSFXSR', 'IA32_EFER.FFXSR'],
    writes: [],
    flags: 'unaffected',
    faults: faultsOf(mnemonic, 'write'),
    effect(cpu, operands) {
      const parts: readonly Part[] = [
        ...x87Parts(cpu, mnemonic === 'FXSAVE64'),
        ...(cpu.CR4.OSFXSR ? [mxcsrPart(cpu)] : []),
        ...(hasVectors(cpu) ? [vectorPart(cpu)] : []),
      ];
      writeParts(cpu, addressOf(operands, 'write'), parts);
    },
  }),
);

export const FXRSTOR = ['FXRSTOR', 'FXRSTOR64'].map((mnemonic) =>
  defineInstruction({
    mnemonic,
    manual: sdm('FXRSTOR—Restore x87 FPU, MMX, XMM, and MXCSR State'),
    reads: ['CR0.EM', 'CR0.TS', 'CR4.OSFXSR', 'IA32_EFER.FFXSR'],
    writes: STATE,
    flags: 'unaffected',
    faults: [
      ...faultsOf(mnemonic, 'read'),
      {
        id: `core.${mnemonic.toLowerCase()}.mxcsr`,
        fields: ['CR4.OSFXSR'],
        when: (cpu, operands) =>
          cpu.CR4.OSFXSR && (mxcsrOf(readImage(cpu, addressOf(operands, 'read'), IMAGE_BYTES)) & ~MXCSR_MASK) !== 0n,
        raise: GP(0),
        explain: 'Bits 31:16 of the MXCSR in the image are reserved: they must be 0.',
      },
    ],
    effect(cpu, operands) {
      const image = readImage(cpu, addressOf(operands, 'read'), IMAGE_BYTES);
      restoreX87(cpu, image, mnemonic === 'FXRSTOR64');
      if (cpu.CR4.OSFXSR) cpu.set('MXCSR', mxcsrOf(image));
      if (hasVectors(cpu)) restoreVectors(cpu, image);
    },
  }),
);
