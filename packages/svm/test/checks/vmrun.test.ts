// Every consistency check of VMRUN, from its row: a VMCB that violates exactly it, and the nearest one that passes.
import { allowedBits, CR4, EFER } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { vmrunConsistencyChecks } from '../../src/checks/vmrun.js';
import checks from '../spec/svm-vmrun-checks.json' with { type: 'json' };
import { CODE_64, field, guestFields, HOST_SAVE, machineWithGuest, setField } from '../support/guest.js';
import { SVME, svmMachine, VMCB, withoutCpuid } from '../support/svm-machine.js';

type Fields = Readonly<Record<string, bigint>>;
type Profile = Parameters<typeof svmMachine>[0];

/** Fields that violate a rule, and those of the nearest state that does not. */
interface Pair {
  readonly violated: Fields;
  readonly passed: Fields;
  readonly profile?: Profile;
}

const PG = 1n << 31n;
const NP = { 'Nested paging and encryption control': 1n, N_CR3: 0n };
const VALID = 1n << 31n;
const TOP = 1n << 52n;
const cpu = svmMachine().processor(0);
const { EFER: efer = 0n, CR0: cr0 = 0n, CR3: cr3 = 0n, CR4: cr4 = 0n } = guestFields(cpu);
/** A PAE guest whose PDPTEs lie where this page is. */
const PDPT = 0x24_0000n;
const PAE_GUEST = { EFER: SVME, CR3: PDPT, 'CS.attributes': 0xc9bn };
const event = (type: number, vector: number): bigint => VALID | BigInt(type << 8) | BigInt(vector);
const reservedIn = (register: 'CR4' | 'IA32_EFER', candidates: readonly number[]): bigint => {
  const allowed = allowedBits(svmMachine().definition, register);
  return 1n << BigInt(candidates.find((bit) => ((allowed >> BigInt(bit)) & 1n) === 0n) ?? 63);
};
const LONG_MODE = 1 << 29;

const PAIRS: Readonly<Record<string, readonly Pair[]>> = {
  'efer-svme': [{ violated: { EFER: efer & ~SVME }, passed: { EFER: efer } }],
  'cr0-cd-nw': [{ violated: { CR0: cr0 | (1n << 29n) }, passed: { CR0: cr0 | (3n << 29n) } }],
  'cr0-hi': [32n, 63n].map((bit) => ({ violated: { CR0: cr0 | (1n << bit) }, passed: { CR0: cr0 } })),
  'cr3-mbz': [52n, 63n].map((bit) => ({ violated: { CR3: cr3 | (1n << bit) }, passed: { CR3: cr3 | (1n << 51n) } })),
  'cr4-mbz': [
    { violated: { CR4: cr4 | reservedIn('CR4', [15, 19, 25]) }, passed: { CR4: cr4 } },
    { violated: { CR4: cr4 | (1n << 32n) }, passed: { CR4: cr4 | (1n << BigInt(CR4.bits.OSFXSR)) } },
  ],
  'dr6-hi': [{ violated: { DR6: 1n << 32n }, passed: { DR6: 0xffff_ffffn } }],
  'dr7-hi': [{ violated: { DR7: 1n << 63n }, passed: { DR7: 0x400n } }],
  'efer-mbz': [
    { violated: { EFER: efer | (1n << 9n) }, passed: { EFER: efer | (1n << BigInt(EFER.bits.SCE)) } },
    { violated: { EFER: efer | (1n << 63n) }, passed: { EFER: efer } },
  ],
  'efer-long-unsupported': [
    {
      violated: { ...PAE_GUEST, CR0: cr0 & ~PG, EFER: SVME | 0x400n },
      passed: { ...PAE_GUEST, CR0: cr0 & ~PG },
      profile: withoutCpuid(0x8000_0001, 'edx', LONG_MODE),
    },
  ],
  'efer-lme-pg-pae': [{ violated: { CR4: cr4 & ~0x20n }, passed: { CR4: cr4 } }],
  'efer-lme-pg-pe': [{ violated: { CR0: cr0 & ~1n }, passed: { CR0: cr0 } }],
  'cs-l-d': [{ violated: { 'CS.attributes': CODE_64 | 0x400n | 0x200n }, passed: { 'CS.attributes': CODE_64 } }],
  'vmrun-intercept': [{ violated: { 'Intercept vector 4': 2n }, passed: { 'Intercept vector 4': 3n } }],
  'iopm-range': [{ violated: { IOPM_BASE_PA: TOP - 0x2000n }, passed: { IOPM_BASE_PA: TOP - 0x3000n } }],
  'msrpm-range': [{ violated: { MSRPM_BASE_PA: TOP - 0x2000n }, passed: { MSRPM_BASE_PA: TOP - 0x3000n } }],
  asid: [{ violated: { 'Guest ASID': 0n }, passed: { 'Guest ASID': 1n } }],
  'asid-range': [{ violated: { 'Guest ASID': 0x8000n }, passed: { 'Guest ASID': 0x7fffn } }],
  'eventinj-type': [1, 5, 6, 7].map((type) => ({
    violated: { EVENTINJ: event(type, 0x20) },
    passed: { EVENTINJ: event(0, 0x20) },
  })),
  'eventinj-vector': [2, 32, 255].map((vector) => ({
    violated: { EVENTINJ: event(3, vector) },
    passed: { EVENTINJ: event(3, 31) },
  })),
  'eventinj-mode': [4, 5].map((vector) => ({
    violated: { EVENTINJ: event(3, vector) },
    passed: { EVENTINJ: event(4, vector) },
  })),
  'eventinj-reserved': [12n, 30n].map((bit) => ({
    violated: { EVENTINJ: event(0, 0x20) | (1n << bit) },
    passed: { EVENTINJ: event(0, 0x20) | (1n << 11n) },
  })),
  'tlb-control': [
    { violated: { TLB_CONTROL: 2n }, passed: { TLB_CONTROL: 3n } },
    { violated: { TLB_CONTROL: 8n }, passed: { TLB_CONTROL: 7n } },
    { violated: { TLB_CONTROL: 3n }, passed: { TLB_CONTROL: 1n }, profile: withoutCpuid(0x8000_000a, 'edx', 1 << 6) },
  ],
  pat: [
    { violated: { ...NP, G_PAT: 2n }, passed: { ...NP, G_PAT: 1n } },
    { violated: { ...NP, G_PAT: 8n << 56n }, passed: { ...NP, G_PAT: 7n << 56n } },
  ],
  'ncr3-mbz': [{ violated: { ...NP, N_CR3: TOP }, passed: { ...NP, N_CR3: TOP >> 1n } }],
  'pae-pdpte': [1n, 5n, 52n].map((bit) => ({
    violated: { ...PAE_GUEST, PDPTE: 1n | (1n << bit) },
    passed: { ...PAE_GUEST, PDPTE: 1n << bit },
  })),
  vnmi: [
    {
      violated: { 'Virtual interrupt control': 1n << 26n },
      passed: { 'Virtual interrupt control': 1n << 26n, 'Intercept vector 3': 2n },
    },
  ],
  avic: [30n, 31n].map((bit) => ({
    violated: { 'Virtual interrupt control': 1n << bit },
    passed: { 'Virtual interrupt control': 0n },
    profile: withoutCpuid(0x8000_000a, 'edx', 1 << 13),
  })),
};

/** Host paging is not a field: it has a test of its own. */
const OF_THE_HOST = 'np-host-paging';
const keyOf = (id: string): string => id.slice('svm.vmrun.'.length);

function run({ profile }: Pick<Pair, 'profile'>, fields: Fields) {
  const { PDPTE, ...changes } = fields;
  const machine = machineWithGuest([0xf4], changes, profile);
  if (PDPTE !== undefined)
    machine.writeMemory(
      PDPT,
      Uint8Array.from({ length: 8 }, (_, byte) => Number((PDPTE >> BigInt(8 * byte)) & 0xffn)),
    );
  return { machine, outcome: machine.processor(0).vmrun(VMCB) };
}

describe('the consistency checks of VMRUN', () => {
  it('are those of the inventory', () => {
    const elsewhere = ['vmrun.vmcb-addr', 'vmrun.sev-vmsa']; // a row of the instruction; no encrypted state
    const inventory = checks.entries.map(({ id }) => id).filter((id) => !elsewhere.includes(id));
    expect(vmrunConsistencyChecks.map(({ id }) => id.replace('svm.', ''))).toEqual(inventory);
  });

  it('are all tested here', () => {
    expect(vmrunConsistencyChecks.map(({ id }) => keyOf(id)).toSorted()).toEqual(
      [...Object.keys(PAIRS), OF_THE_HOST].toSorted(),
    );
  });

  for (const { id } of vmrunConsistencyChecks) {
    for (const [index, { violated, passed, ...pair }] of (PAIRS[keyOf(id)] ?? []).entries()) {
      it(`${id}: ${index + 1}`, () => {
        expect(run(pair, violated).outcome).toMatchObject({ kind: 'svm/vmexit', exitCode: -1, rule: id });
        expect(run(pair, passed).outcome).toMatchObject({ kind: 'svm/vmrun' });
      });
    }
  }

  it('svm.vmrun.np-host-paging: a host without paging has no format for nested tables', () => {
    const machine = machineWithGuest([0xf4], NP);
    const host = machine.processor(0);
    host.set('CR0', cr0 & ~PG);
    host.set('IA32_EFER', SVME);
    expect(host.vmrun(VMCB)).toMatchObject({ exitCode: -1, rule: 'svm.vmrun.np-host-paging' });
    setField(machine, 'Nested paging and encryption control', 0n);
    expect(host.vmrun(VMCB)).toMatchObject({ kind: 'svm/vmrun' });
  });

  it('end in VMEXIT_INVALID, which leaves the guest state and the host state alone and clears GIF', () => {
    const { machine, outcome } = run({}, { 'Guest ASID': 0n, RAX: 0x77n });
    expect(outcome).toMatchObject({ name: 'VMEXIT_INVALID' });
    expect(field(machine, 'EXITCODE')).toBe(0xffff_ffff_ffff_ffffn);
    expect(field(machine, 'RAX')).toBe(0x77n);
    expect(machine.processor(0).read('guestMode')).toBe(0n);
    expect(machine.processor(0).read('svm.GIF')).toBe(0n);
    expect(machine.state.memory.read(HOST_SAVE, 4096).every((byte) => byte === 0)).toBe(true);
  });
});
