// Whatever bytes a program has, they are an instruction that core declares, or an invalid opcode: never a gap. All opcodes
// of the legacy maps with every reg field, in registers and in memory; VEX and EVEX exist for BMI alone.
import { describe, expect, it } from 'vitest';
import { type Decoded, InstructionStream } from '../../src/execute/decode.js';
import { reportsFeatures } from '../../src/register/instruction-features.js';
import { bootedMachine, hex, machineWith } from '../support/booted-machine.js';

const BYTE = Array.from({ length: 256 }, (_, byte) => byte);
const MAPS = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
const PREFIXES = [[], [0x66], [0xf2], [0xf3]];
/** A register, or memory at one, by the reg field; a few opcodes of the second map use the rm field too. */
const MODRM = BYTE.filter((byte) => (byte & 0x07) === 0 && (byte < 0x40 || byte >= 0xc0));
const BY_RM = new Set([0x01, 0xae, 0xc7]);
const formsOf = (map: readonly number[], opcode: number) =>
  map.length === 1 && BY_RM.has(opcode) ? BYTE.filter((byte) => byte < 8 || byte >= 0xc0) : MODRM;
/** Prefixes, and escapes to other maps. */
const isPrefix = (map: readonly number[], opcode: number) => map.length === 0 && [0x62, 0xc4, 0xc5].includes(opcode);

function decoded(bytes: readonly number[], width: 16 | 32 | 64): Decoded | undefined {
  const stream = new InstructionStream(Uint8Array.from([...bytes, ...new Array<number>(8).fill(0)]), width, 0n);
  const found = stream.next();
  stream.end();
  return typeof found === 'string' ? undefined : found;
}

describe('the opcode maps', () => {
  it.each([
    ['intel-server', 16],
    ['intel-server', 32],
    ['intel-server', 64],
    ['amd-server', 64],
  ] as const)('have no gap on %s in code of %i bits', (profile, width) => {
    const { definition } = bootedMachine({ profile });
    const gaps = new Set<string>();
    for (const map of MAPS)
      for (const prefix of PREFIXES)
        for (const opcode of BYTE)
          for (const modrm of isPrefix(map, opcode) ? [] : formsOf(map, opcode)) {
            const found = decoded([...prefix, ...map, opcode, modrm], width);
            if (found === undefined || !reportsFeatures(definition, found.features)) continue;
            if (!definition.instructions.has(found.mnemonic)) gaps.add(found.mnemonic);
          }
    expect([...gaps]).toEqual([]);
  });

  it.each([
    ['f3 48 0f 1e ce', 'rdsspq rsi'],
    ['f3 0f 1e ce', 'rdsspd esi'],
    ['0f 0d 00', 'prefetch [rax]'],
    ['0f 18 38', 'prefetchit0 [rax]'],
  ])('have a NOP at %s (%s)', (code) => {
    const machine = machineWith(hex(code));
    const cpu = machine.processor(0);
    cpu.set('RSI', 0xaaaa_bbbb_cccc_ddddn);
    cpu.set('RAX', 0x7fff_0000_0000n); // nothing is mapped there
    expect(cpu.step()).toMatchObject({ kind: 'completed' });
    expect(cpu.read('RSI')).toBe(0xaaaa_bbbb_cccc_ddddn);
  });

  it.each([
    ['f3 0f 01 e8', 'setssbsy'],
    ['0f 01 d6', 'xtest'],
    ['0f 01 dc', 'stgi'],
    ['66 0f 01 cf', 'seamcall'],
    ['0f a7 c0', 'xstore'],
    ['0f 38 fc 00', 'aadd [rax], eax'],
  ])('have no instruction of an extension that CPUID does not report: %s (%s)', (code) => {
    const outcome = machineWith(hex(code)).processor(0).step() as {
      chain?: readonly { vector: string; rule: string }[];
    };
    expect(outcome.chain?.[0]).toMatchObject({ vector: '#UD', rule: 'core.decode.feature' });
  });
});
