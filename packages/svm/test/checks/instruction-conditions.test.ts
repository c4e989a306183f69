// Every rule of every instruction, from its row: a state that violates exactly it, and the nearest one that satisfies it.
import { completed, fault, NotModelled, type Outcome } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { svm } from '../../src/index.js';
import { prepareGuest } from '../support/guest.js';
import { INSTRUCTION_ENTRIES } from '../support/spec-entries.js';
import {
  enterMode,
  MODES,
  type ModeName,
  SVME,
  type SvmProcessorHandle,
  svmMachine,
  VMCB,
  WITHOUT_SKINIT,
} from '../support/svm-machine.js';

/** Entries of the inventory that are no rows of an instruction's table. */
const NOT_A_ROW: Readonly<Record<string, string>> = {
  success: 'an effect',
  intercept: 'a row of the table of intercepted instructions',
  hsave: 'processors may accept 0, and so does this one',
  gif: 'says that nothing is checked',
  checks: 'the consistency checks have an inventory of their own',
  'not-intercepted': 'an effect: the intercept comes before it',
};
/** What the inventory names and this part does not declare: core stops with NotModelled, or it is no instruction. */
const NOT_DECLARED = ['INVLPGB', 'TLBSYNC', 'VMEXIT'];

/** What an instruction does beyond its checks, other than to complete; VMRUN may find a VMCB that is none. */
const PASSED: Readonly<Record<string, object>> = {
  VMRUN: { kind: expect.stringMatching(/^svm\/vm(run|exit)$/) },
  VMMCALL: { rule: 'svm.vmmcall.not-intercepted' },
};

type Call = (cpu: SvmProcessorHandle, address: bigint) => Outcome;
const CALLS: Readonly<Record<string, Call>> = {
  VMLOAD: (cpu, address) => cpu.vmload(address),
  VMSAVE: (cpu, address) => cpu.vmsave(address),
  VMRUN: (cpu, address) => cpu.vmrun(address),
  VMMCALL: (cpu) => cpu.vmmcall(),
  INVLPGA: (cpu) => cpu.invlpga(0n, 0n),
  SKINIT: (cpu) => {
    try {
      return cpu.skinit(0n);
    } catch (thrown) {
      if (thrown instanceof NotModelled) return completed(); // beyond its checks
      throw thrown;
    }
  },
  STGI: (cpu) => cpu.stgi(),
  CLGI: (cpu) => cpu.clgi(),
};

/** A way to violate one condition and nothing else, and the smallest change that satisfies it again. */
interface Pair {
  readonly name: string;
  readonly violate: (cpu: SvmProcessorHandle) => bigint;
  readonly satisfy: (cpu: SvmProcessorHandle) => bigint;
  readonly outcome: Outcome;
}
const at =
  (address: bigint, ...changes: readonly (readonly [register: string, value: bigint])[]) =>
  (cpu: SvmProcessorHandle): bigint => {
    for (const [register, value] of changes) cpu.set(register, value);
    return address;
  };
const efer =
  (set: boolean) =>
  (cpu: SvmProcessorHandle): bigint => {
    cpu.set('IA32_EFER', set ? cpu.read('IA32_EFER') | SVME : cpu.read('IA32_EFER') & ~SVME);
    return VMCB;
  };
const mode =
  (name: ModeName, cpl = 0) =>
  (cpu: SvmProcessorHandle): bigint => {
    enterMode(cpu, name, cpl);
    return VMCB;
  };
const UD = { vector: '#UD' } as const;
const GP = { vector: '#GP', errorCode: 0 } as const;
const pair = (
  name: string,
  what: Partial<Parameters<typeof fault>[1]> & { vector: '#UD' | '#GP' },
  violate: Pair['violate'],
  satisfy: Pair['satisfy'],
): Pair => {
  const { vector, ...facts } = what;
  return { name, violate, satisfy, outcome: fault(vector, facts) };
};

const PAIRS: Readonly<Record<string, readonly Pair[]>> = {
  svme: [pair('EFER.SVME', UD, efer(false), efer(true))],
  'real-v86': [
    pair('CR0.PE', UD, mode('real'), mode('protected')),
    // Virtual-8086 mode has CPL 3, which would be the next rule's: the flag alone shows whose it is.
    pair(
      'RFLAGS.VM',
      UD,
      at(VMCB, ['RFLAGS', 0x2_0002n], ['IA32_EFER', SVME]),
      at(VMCB, ['RFLAGS', 2n], ['IA32_EFER', SVME]),
    ),
  ],
  cpl: [1, 2, 3].map((level) => pair(`CPL ${level}`, GP, mode('64-bit', level), mode('64-bit', 0))),
  rax: [
    ...Array.from({ length: 12 }, (_, bit) => pair(`bit ${bit}`, GP, at(VMCB | (1n << BigInt(bit))), at(VMCB))),
    ...Array.from({ length: 12 }, (_, bit) =>
      pair(`bit ${52 + bit}`, GP, at(VMCB | (1n << BigInt(52 + bit))), at(VMCB | (1n << 51n))),
    ),
  ],
};

/** Those have tests of their own. */
const CONSISTENCY = 'Canonicalization and Consistency Checks';
const instructions = svm.instructions ?? [];
const rows = instructions.flatMap(({ mnemonic, checks }) =>
  checks
    .filter(({ manual }) => manual.title !== CONSISTENCY)
    .map((rule) => ({ mnemonic, rule, key: rule.id.split('.').at(-1) ?? '' })),
);

describe('the checks of the SVM instructions', () => {
  it('are those of the inventory, in its order', () => {
    for (const { mnemonic, checks } of instructions) {
      const entries = INSTRUCTION_ENTRIES.filter(
        ({ instruction, id }) => instruction === mnemonic && !((id.split('.').at(-1) ?? '') in NOT_A_ROW),
      );
      expect(checks.filter(({ manual }) => manual.title !== CONSISTENCY).map(({ id }) => id)).toEqual(
        entries.toSorted((one, other) => one.order - other.order).map(({ id }) => id),
      );
    }
  });

  it('cover every instruction of the inventory that is declared; the others are known', () => {
    const declared = instructions.map(({ mnemonic }) => mnemonic as string);
    expect(new Set(INSTRUCTION_ENTRIES.map(({ instruction }) => instruction))).toEqual(
      new Set([...declared, ...NOT_DECLARED]),
    );
  });

  it('are all tested below: as many as are declared', () => {
    expect(rows.filter(({ key }) => PAIRS[key] !== undefined).length).toBe(rows.length);
    expect(rows.length).toBe(25);
  });

  for (const { mnemonic, rule, key } of rows) {
    for (const { name, violate, satisfy, outcome } of PAIRS[key] ?? []) {
      it(`${rule.id}: ${name}`, () => {
        const machine = svmMachine(WITHOUT_SKINIT);
        prepareGuest(machine);
        const cpu = machine.processor(0);
        const call = CALLS[mnemonic] as Call;
        expect(call(cpu, violate(cpu))).toEqual({ ...outcome, rule: rule.id });
        expect(call(cpu, satisfy(cpu))).toMatchObject(PASSED[mnemonic] ?? { kind: 'completed' });
      });
    }
  }
});

describe('the modes and privilege levels', () => {
  const levels: Readonly<Record<ModeName, readonly number[]>> = {
    real: [0],
    'virtual-8086': [3],
    protected: [0, 1, 2, 3],
    compatibility: [0, 1, 2, 3],
    '64-bit': [0, 1, 2, 3],
  };
  for (const mnemonic of ['VMLOAD', 'VMSAVE', 'STGI', 'CLGI', 'INVLPGA', 'SKINIT']) {
    const call = CALLS[mnemonic] as Call;
    for (const enabled of [true, false]) {
      it(`decide ${mnemonic} with EFER.SVME ${Number(enabled)}`, () => {
        for (const [name, recognized] of Object.entries(MODES) as [ModeName, boolean][]) {
          for (const cpl of levels[name]) {
            const cpu = svmMachine(WITHOUT_SKINIT).processor(0);
            efer(enabled)(cpu);
            enterMode(cpu, name, cpl);
            const id = (check: string) => `svm.${mnemonic.toLowerCase()}.${check}`;
            const expected = !enabled
              ? fault('#UD', { rule: id('svme') })
              : !recognized
                ? fault('#UD', { rule: id('real-v86') })
                : cpl > 0
                  ? fault('#GP', { errorCode: 0, rule: id('cpl') })
                  : completed();
            expect(call(cpu, VMCB), `${name}, CPL ${cpl}`).toEqual(expected);
          }
        }
      });
    }
  }
});

describe('STGI on a processor with SKINIT', () => {
  it('works without EFER.SVME, where CLGI does not', () => {
    const cpu = svmMachine().processor(0);
    efer(false)(cpu);
    expect(cpu.stgi()).toEqual(completed());
    expect(cpu.clgi()).toEqual(fault('#UD', { rule: 'svm.clgi.svme' }));
  });
});

describe('rAX', () => {
  it('is accepted exactly where it is page-aligned and within the physical-address width', () => {
    const cpu = svmMachine().processor(0);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 0, max: 63 }), (value, shift) => {
        const address = BigInt.asUintN(64, value << BigInt(shift));
        const valid = address % 4096n === 0n && address < 1n << 52n;
        return (cpu.vmload(address).kind === 'completed') === valid;
      }),
      { numRuns: 300 },
    );
  });

  it('has 32 bits outside 64-bit mode', () => {
    const cpu = svmMachine().processor(0);
    enterMode(cpu, 'compatibility', 0);
    expect(cpu.vmsave(VMCB | (1n << 40n) | (1n << 63n))).toEqual(completed());
    expect(cpu.read('svm.VMCB')).toBe(VMCB);
  });
});
