// SDM, "x2APIC Register Address Space": the registers of the local APIC as MSRs 800H to 83FH. Outside x2APIC mode each
// access is #GP(0).
import { GP, raise } from '../interrupt/exceptions.js';
import { localApicMode } from '../interrupt/local-apic-mode.js';
import { LOCAL_APIC_ACCESS, type LocalApicAccess, writeX2Apic } from '../interrupt/local-apic-page.js';
import type { Cpu } from '../state/cpu.js';
import { LOCAL_APIC_REGISTERS } from './local-apic-registers.js';
import type { MsrDefinition } from './msrs.js';

const FIRST = 0x800;
const LOW_HALF = 0xffff_ffffn;

function checkMode(cpu: Cpu): void {
  if (localApicMode(cpu) !== 'x2APIC') raise(GP(0), 'core.msr.x2apic-mode');
}

function msrOf(access: LocalApicAccess): readonly [name: string, msr: MsrDefinition] {
  const { name, offset, read, write } = access;
  return [
    `IA32_X2${name}`,
    {
      address: FIRST + offset / 16,
      // Registers that are no state of their own borrow a slot that is never read through them.
      aliasOf: LOCAL_APIC_REGISTERS.some((row) => row.name === name) ? name : 'APIC_ID',
      read: (cpu) => {
        checkMode(cpu);
        if (read === undefined) raise(GP(0), 'core.rdmsr.write-only');
        return BigInt(read(cpu) >>> 0);
      },
      write: (cpu, value) => {
        checkMode(cpu);
        if (write === undefined || name === 'APIC_LDR') raise(GP(0), 'core.wrmsr.read-only');
        writeX2Apic(cpu, access, value);
      },
    },
  ];
}

/** One register of 64 bits in this mode: destination in the upper half. */
const ICR: MsrDefinition = {
  address: 0x830,
  aliasOf: 'APIC_ICR_LOW',
  read: (cpu) => {
    checkMode(cpu);
    return (cpu.read('APIC_ICR_HIGH') << 32n) | cpu.read('APIC_ICR_LOW');
  },
  write: (cpu, value) => {
    checkMode(cpu);
    const command = LOCAL_APIC_ACCESS.find(({ name }) => name === 'APIC_ICR_LOW');
    if (command === undefined) return;
    if ((Number(value & LOW_HALF) & (command.reserved ?? 0)) !== 0) raise(GP(0), 'core.wrmsr.value-reserved');
    cpu.set('APIC_ICR_HIGH', value >> 32n);
    writeX2Apic(cpu, command, value & LOW_HALF);
  },
};

/** By name: `IA32_X2APIC_TPR`. */
export const X2APIC_MSRS: Readonly<Record<string, MsrDefinition>> = {
  ...Object.fromEntries(
    LOCAL_APIC_ACCESS.filter(({ only, name }) => only !== 'xAPIC' && name !== 'APIC_ICR_LOW').map(msrOf),
  ),
  IA32_X2APIC_ICR: ICR,
};
