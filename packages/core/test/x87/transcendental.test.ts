// The transcendental instructions: the value is the correctly rounded one, a recorded processor is at most one unit in the
// last place away from it, and both set the same flags (see README.md).
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';

type Vector = readonly [
  code: string,
  fsw: string,
  stack: readonly string[],
  recorded: readonly string[],
  recordedStatus: string,
  correct: readonly (string | null)[] | null,
];

const file = new URL('transcendental.jsonl.gz', import.meta.url);
const vectors = gunzipSync(readFileSync(file))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector);

const NAMES = {
  FSIN: 'd9fe',
  FCOS: 'd9ff',
  FSINCOS: 'd9fb',
  FPTAN: 'd9f2',
  F2XM1: 'd9f0',
  FPATAN: 'd9f3',
  FYL2X: 'd9f1',
  FYL2XP1: 'd9f9',
} as const;

const C1 = 0x200;
const number = (digits: string): bigint => BigInt(`0x${digits}`);
const topOf = (status: number): number => (status >> 11) & 7;

function execute(machine: Machine, [code, fsw, stack]: Vector): { values: readonly bigint[]; status: number } {
  const cpu = machine.processor(0);
  const top = topOf(Number(number(fsw)));
  cpu.set('FCW', 0x37fn);
  cpu.set('FSW', number(fsw));
  for (const [index, value] of stack.entries()) cpu.set(`R${(top + index) & 7}`, number(value));
  cpu.set(
    'FTW',
    stack.reduce((tags, _value, index) => tags | (1n << BigInt((top + index) & 7)), 0n),
  );
  cpu.set('RIP', BigInt(CODE));
  machine.writeMemory(CODE, Uint8Array.from(hex(code)));
  machine.step(0, 1);
  const status = Number(cpu.read('FSW'));
  const full = Number(cpu.read('FTW'));
  const registers = [0, 1, 2].map((index) => (topOf(status) + index) & 7).filter((each) => ((full >> each) & 1) === 1);
  return { values: registers.map((register) => cpu.read(`R${register}`)), status };
}

const near = (found: bigint, recorded: string): boolean => {
  const distance = found - number(recorded);
  return distance >= -1n && distance <= 1n;
};

/** What is wrong with the results of one instruction. */
function differences(machine: Machine, vector: Vector): readonly string[] {
  const [, , , recorded, recordedStatus, correct] = vector;
  const { values, status } = execute(machine, vector);
  const wrong = [
    values.length === recorded.length && values.every((value, index) => near(value, recorded[index] ?? '0'))
      ? ''
      : 'far from the processor',
    (correct ?? []).every((value, index) => value === null || number(value) === values[index])
      ? ''
      : 'not correctly rounded',
    ((status ^ Number(number(recordedStatus))) & ~C1) === 0 ? '' : `FSW is ${status.toString(16)}`,
  ].filter((each) => each !== '');
  return wrong.length === 0 ? [] : [`${JSON.stringify(vector)}: ${wrong.join(', ')}`];
}

describe('transcendental instructions', () => {
  it('are 1200', () => {
    expect(vectors.length).toBe(1200);
  });

  it.each(Object.entries(NAMES))('%s', (_name, code) => {
    const machine = machineWith([], { profile: 'amd-server' });
    const own = vectors.filter(([each]) => each === code);
    expect(own.length).toBeGreaterThan(90);
    expect(own.flatMap((vector) => differences(machine, vector))).toEqual([]);
  });
});
