// Machine checks from outside: an event reports an error of the hardware in a bank of a processor (SDM, "Machine-Check
// Architecture"), as if a memory controller or a cache had found it.
import { u8, u64 } from '../event/codec.js';
import { defineEvent } from '../event/define.js';
import { PENDING, setPending } from '../interrupt/pending-bits.js';
import { definePlugin, type Plugin } from '../plugin/define.js';
import { MACHINE_CHECK_BANKS } from '../register/machine-check-msrs.js';
import type { Cpu } from '../state/cpu.js';

/** Bits of IA32_MCi_STATUS: valid, overflow, uncorrected, enabled, processor context corrupt. */
const VAL = 1n << 63n;
const OVER = 1n << 62n;
const UC = 1n << 61n;
const EN = 1n << 60n;
const PCC = 1n << 57n;
/** IA32_MCG_STATUS: the interrupted program can go on. */
const RIPV = 1n;

/** An uncorrected error takes the place of a corrected one; otherwise the first report stays, with OVER. */
function report(cpu: Cpu, bank: number, status: bigint, address: bigint, miscellaneous: bigint): void {
  const name = `IA32_MC${bank}_STATUS`;
  const before = cpu.read(name);
  const lost = (before & VAL) !== 0n;
  if (lost && ((before & UC) !== 0n || (status & UC) === 0n)) {
    cpu.set(name, before | OVER);
    return;
  }
  cpu.set(name, status | VAL | (lost ? OVER : 0n));
  cpu.set(`IA32_MC${bank}_ADDR`, address);
  cpu.set(`IA32_MC${bank}_MISC`, miscellaneous);
}

/**
 * An error was found: status, address and miscellaneous data as the bank's MSRs hold them, VAL not needed. An uncorrected one
 * that is enabled (UC and EN) raises #MC at the processor's next boundary; others wait in the bank until software looks.
 */
export const machineCheckOccurred = defineEvent('processor/machineCheckOccurred', {
  payload: { processor: u8, bank: u8, status: u64, address: u64, miscellaneous: u64 },
  apply(draft, { processor, bank, status, address, miscellaneous }) {
    if (processor >= draft.processorCount || bank >= MACHINE_CHECK_BANKS) return; // nobody is there to hear of it
    const cpu = draft.cpu(processor);
    report(cpu, bank, status, address, miscellaneous);
    if ((status & UC) === 0n || (status & EN) === 0n) return;
    const restartable = (status & PCC) === 0n ? RIPV : 0n;
    cpu.set('IA32_MCG_STATUS', (cpu.read('IA32_MCG_STATUS') & ~RIPV) | restartable);
    setPending(cpu, PENDING.machineCheck, true);
  },
});

/**
 * Lets events bring machine checks.
 * @example createMachine({ profile: 'intel-server', plugins: [machineChecks] });
 */
export const machineChecks: Plugin = definePlugin({
  name: 'machine-checks',
  version: '1.0.0',
  apiVersion: 1,
  events: [machineCheckOccurred],
});
