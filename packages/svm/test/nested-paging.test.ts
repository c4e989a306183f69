// Nested tables: what is refused and how it is told, and PAE paging of the guest, whose PDPTEs are read at each walk.
import { describe, expect, it } from 'vitest';
import { field, machineWithGuest, type SvmMachine, setField } from './support/guest.js';
import { SVME, VMCB } from './support/svm-machine.js';

const N_CR3 = 0x26_0000n;
const LEAVES = 0x28_0000n;
const PRESENT_WRITABLE_USER = 7n;
const LARGE = 0x80n;

function writeQuad(machine: SvmMachine, address: bigint, value: bigint): void {
  machine.writeMemory(
    address,
    Uint8Array.from({ length: 8 }, (_, byte) => Number((value >> BigInt(8 * byte)) & 0xffn)),
  );
}

/** The first GiB as it is, in pages of 2 MiB. */
function nestedIdentity(machine: SvmMachine): void {
  writeQuad(machine, N_CR3, (N_CR3 + 0x1000n) | PRESENT_WRITABLE_USER);
  writeQuad(machine, N_CR3 + 0x1000n, LEAVES | PRESENT_WRITABLE_USER);
  for (let index = 0n; index < 512n; index++)
    writeQuad(machine, LEAVES + index * 8n, (index << 21n) | PRESENT_WRITABLE_USER | LARGE);
}

const NESTED = { 'Nested paging and encryption control': 1n, N_CR3, 'Intercept vector 3': 1n << 18n };

function exitOf(machine: SvmMachine) {
  const cpu = machine.processor(0);
  expect(cpu.vmrun(VMCB)).toMatchObject({ kind: 'svm/vmrun' });
  return cpu.step();
}

describe('nested paging', () => {
  it('lets a guest run whose memory is mapped', () => {
    const machine = machineWithGuest(undefined, NESTED);
    nestedIdentity(machine);
    expect(exitOf(machine)).toMatchObject({ name: 'VMEXIT_CPUID' });
  });

  it('tells of the final address: absent, not for users, reserved, not executable', () => {
    const page = LEAVES + 8n; // 2 MiB to 4 MiB, where the guest's code is
    const plain = (1n << 21n) | LARGE;
    const rows: readonly (readonly [entry: bigint, errorCode: bigint])[] = [
      [0n, 20n], // the host has EFER.NXE: fetches are told apart
      [plain | 3n, 21n],
      [plain | 7n | (1n << 13n), 29n],
      [plain | 7n | (1n << 63n), 21n],
    ];
    for (const [entry, errorCode] of rows) {
      const machine = machineWithGuest(undefined, NESTED);
      nestedIdentity(machine);
      writeQuad(machine, page, entry);
      expect(exitOf(machine)).toMatchObject({
        name: 'VMEXIT_NPF',
        exitInfo1: (1n << 32n) | errorCode,
        exitInfo2: 0x30_0000n,
      });
    }
  });

  it("takes accesses to the guest's own tables as writes", () => {
    const machine = machineWithGuest(undefined, NESTED);
    nestedIdentity(machine);
    const tables = field(machine, 'CR3') & ~0xfffn;
    writeQuad(machine, LEAVES + (tables >> 21n) * 8n, ((tables >> 21n) << 21n) | LARGE | 5n);
    expect(exitOf(machine)).toMatchObject({ name: 'VMEXIT_NPF', exitInfo1: (1n << 33n) | 7n, exitInfo2: tables });
  });
});

describe('PAE paging of a guest under nested paging', () => {
  const PDPT = 0x2a_0000n;
  const guest = {
    ...NESTED,
    EFER: SVME,
    CR3: PDPT,
    'CS.attributes': 0xc9bn,
    'Intercept exception vectors 0-31': 1n << 14n,
  };
  const prepared = (pdpte: bigint) => {
    const machine = machineWithGuest(undefined, guest);
    nestedIdentity(machine);
    setField(machine, 'CR0', 0x8000_0011n);
    writeQuad(machine, PDPT, pdpte);
    for (let index = 0n; index < 4n; index++)
      writeQuad(machine, PDPT + 0x1000n + index * 8n, (index << 21n) | 3n | LARGE);
    return machine;
  };

  it('reads a PDPTE when it is used', () => {
    expect(exitOf(prepared((PDPT + 0x1000n) | 1n))).toMatchObject({ name: 'VMEXIT_CPUID' });
  });

  it('is #PF for one that is absent or has reserved bits, and VMRUN does not look', () => {
    expect(exitOf(prepared(0n))).toMatchObject({ name: 'VMEXIT_EXCP_14', exitInfo1: 0n });
    for (const bit of [1n, 5n, 52n, 62n])
      expect(exitOf(prepared((PDPT + 0x1000n) | 1n | (1n << bit))), `bit ${bit}`).toMatchObject({
        name: 'VMEXIT_EXCP_14',
        exitInfo1: 9n,
      });
  });
});
