// EPT paging structures that map the memory of a test machine to itself, and the fields of a guest that runs on them: pages of
// 4 KBytes for the first 2 MBytes, the others of 2 MBytes.
import type { Plugin } from '@retrovisor/core';
import { type Fields, guestMachine } from './guest.js';
import type { Overrides, VmxMachineUnderTest } from './machine.js';
import { readValue, writeValue } from './machine.js';

/** PML4, PDPT, page directory and page table. */
const TABLES = 0x30_0000n;
/** The same, with other structures for the first 2 MBytes. */
const OTHER_TABLES = 0x31_0000n;
export const PML_LOG = 0x32_0000n;
export const VE_INFORMATION = 0x32_1000n;
export const EPTP_LIST = 0x32_2000n;
/** Where a test guest's data lies, and the page that OTHER_TABLES has in its place. */
export const GUEST_DATA = 0x17_0000n;
export const OTHER_DATA = 0x17_1000n;

export const [R, W, X] = [1n, 2n, 4n];
const ALL = R | W | X;
const WRITE_BACK = 0x30n;
const LARGE = 0x80n;
const FEATURES = 0x1en;

export const EPTP = TABLES | FEATURES;
export const OTHER_EPTP = OTHER_TABLES | FEATURES;

/** Secondary processor-based VM-execution controls. */
export const CONTROL = {
  ept: 1n << 1n,
  vpid: 1n << 5n,
  vmFunctions: 1n << 13n,
  pml: 1n << 17n,
  ve: 1n << 18n,
} as const;

export function leafAddress(guestPhysical: bigint, tables = TABLES): bigint {
  return tables + 0x3000n + (guestPhysical >> 12n) * 8n;
}

export function setRights(machine: VmxMachineUnderTest, guestPhysical: bigint, rights: bigint, tables = TABLES): void {
  writeValue(machine, leafAddress(guestPhysical, tables), 8, (guestPhysical & ~0xfffn) | WRITE_BACK | rights);
}

export const leafOf = (machine: VmxMachineUnderTest, guestPhysical: bigint): bigint =>
  readValue(machine, leafAddress(guestPhysical), 8);

function writeTables(machine: VmxMachineUnderTest, tables: bigint): void {
  writeValue(machine, tables, 8, (tables + 0x1000n) | ALL);
  writeValue(machine, tables + 0x1000n, 8, (tables + 0x2000n) | ALL);
  writeValue(machine, tables + 0x2000n, 8, (tables + 0x3000n) | ALL);
  writeValue(machine, tables + 0x2008n, 8, 0x20_0000n | WRITE_BACK | LARGE | ALL);
  const entries = BigUint64Array.from({ length: 512 }, (_, index) => (BigInt(index) << 12n) | WRITE_BACK | ALL);
  machine.writeMemory(tables + 0x3000n, new Uint8Array(entries.buffer));
}

/** A guest with EPT; further secondary controls are given as bits. */
export function eptMachine(
  code: readonly number[],
  controls = 0n,
  fields: Fields = {},
  overrides: Overrides = {},
  others: readonly Plugin[] = [],
): VmxMachineUnderTest {
  const machine = guestMachine(
    code,
    {
      'Primary processor-based VM-execution controls': 0x8400_6172n,
      'Secondary processor-based VM-execution controls': CONTROL.ept | controls,
      'EPT pointer (EPTP)': EPTP,
      'PML address': PML_LOG,
      'PML index': 511n,
      'Virtualization-exception information address': VE_INFORMATION,
      'EPTP-list address': EPTP_LIST,
      ...fields,
    },
    overrides,
    others,
  );
  writeTables(machine, TABLES);
  writeTables(machine, OTHER_TABLES);
  writeValue(machine, leafAddress(GUEST_DATA, OTHER_TABLES), 8, OTHER_DATA | WRITE_BACK | ALL);
  writeValue(machine, EPTP_LIST, 8, EPTP);
  writeValue(machine, EPTP_LIST + 8n, 8, OTHER_EPTP);
  return machine;
}
