// SDM, "Processor State After Reset", INIT column, and "MP Initialization Protocol": what INIT and a startup IPI do.
import type { Outcome } from '../event/outcome.js';
import { lookUpCpuid } from '../profile/cpuid-lookup.js';
import type { RegisterGroup } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { resetLocalApic } from './local-apic-mode.js';
import { PENDING, setPending } from './pending-bits.js';

/** Groups that INIT sets as RESET does. MSRs, x87 and SSE state and the caches stay. */
const INITIALIZED: ReadonlySet<RegisterGroup> = new Set([
  'general',
  'control',
  'debug',
  'segments',
  'descriptorTables',
]);
/** Beside them. Virtual time goes on. */
const ALSO = new Set(['IA32_EFER', 'interruptShadow', 'nmiBlocked', 'pendingDebug']);
const STAYS = new Set(['XCR0', 'PKRU']);
/** CD and NW of CR0 keep their values. */
const CACHE_CONTROL = 0x6000_0000n;

/** Firmware's ROM at the end of the first 4 GiB is not there: the same bytes are here. */
const ROM_BELOW_1_MIB = 0xf_0000n;

/** INIT: the bootstrap processor starts at the reset vector, the others wait for a startup IPI. */
export function initialize(cpu: Cpu): Outcome {
  const cacheControl = cpu.read('CR0') & CACHE_CONTROL;
  for (const { name, group, reset } of cpu.definition.registers.rows)
    if ((INITIALIZED.has(group) || ALSO.has(name)) && !STAYS.has(name)) cpu.set(name, reset);
  cpu.set('CR0', (cpu.read('CR0') & ~CACHE_CONTROL) | cacheControl);
  if (cpu.definition.boot?.firmware === 'pc') cpu.set('CS.base', ROM_BELOW_1_MIB);
  cpu.RDX = BigInt(lookUpCpuid(cpu.profile, 1, 0).eax >>> 0);
  resetLocalApic(cpu, { keepId: true });
  setPending(cpu, PENDING.INIT | PENDING.NMI | PENDING.SMI, false);
  cpu.activity = cpu.id === 0 ? 'active' : 'wait-for-SIPI';
  cpu.draft.flushTlb();
  return { kind: 'interrupted', event: 'INIT' };
}

/** A startup IPI: real-address mode at 000VV000H. */
export function startUp(cpu: Cpu): Outcome {
  setPending(cpu, PENDING.SIPI, false);
  const vector = cpu.read('startupVector');
  cpu.set('CS.selector', vector << 8n);
  cpu.set('CS.base', vector << 12n);
  cpu.RIP = 0n;
  cpu.activity = 'active';
  return { kind: 'interrupted', event: 'start-up', vector: Number(vector) };
}
