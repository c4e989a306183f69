// Intrinsics without observers, beside Immer and mutative on an equivalent reducer.
import { createMachine, longMode, type Outcome } from '@retrovisor/core';
import { vmx } from '@retrovisor/vmx';
import { amount, type Contestant, type Effort, measure } from './measure.js';
import { peers } from './peers.js';
import type { Row, Section } from './report.js';

const GOAL = 200_000;
const REGION = 0x10_0000n;
const NANOSECONDS = 1e9;

/** WRMSR, RDMSR, CPUID and MOV to CR in turns: every one succeeds. */
function baseMix(effort: Effort): Contestant {
  return {
    name: 'wrmsr, rdmsr, cpuid, movToCr2',
    prepare: () => {
      const machine = createMachine({ profile: 'intel-server', boot: longMode() });
      const cpu = machine.processor(0);
      const events = amount(effort, 200_000) & ~3;
      return () => {
        for (let index = 0; index < events; index += 4) {
          const [msr, value] = index & 4 ? [0x277n, 0x0007_0406_0007_0406n] : [0xc000_0082n, BigInt(index)];
          cpu.wrmsr(msr, value);
          cpu.rdmsr(msr);
          cpu.cpuid(BigInt(index & 4), 0n);
          cpu.movToCr2(BigInt(index));
        }
        if (machine.position !== events) throw new RangeError('events were lost');
        return events;
      };
    },
  };
}

/** VMWRITE, VMREAD and now and then VMPTRLD of another VMCS. */
function vmxMix(effort: Effort): Contestant {
  return {
    name: 'vmwrite, vmread, vmptrld (with vmx)',
    prepare: () => {
      const machine = createMachine({ profile: 'intel-server', boot: longMode(), plugins: [vmx] });
      const cpu = machine.processor(0);
      const identifier = Number(given(cpu.rdmsr(0x480n)) & 0x7fff_ffffn);
      for (const page of [0, 1, 2]) {
        machine.writeMemory(REGION + BigInt(page * 4096), new Uint8Array(Uint32Array.of(identifier).buffer));
      }
      must(cpu.wrmsr(0x3an, 5n));
      must(cpu.movToCr4(cpu.read('CR4') | 0x2000n));
      must(cpu.vmxon(REGION));
      for (const page of [1n, 2n]) must(cpu.vmclear(REGION + page * 4096n));
      must(cpu.vmptrld(REGION + 4096n));
      const events = amount(effort, 100_000) & ~7;
      return () => {
        for (let index = 0; index < events; index += 8) {
          must(cpu.vmptrld(REGION + (index & 8 ? 4096n : 8192n)));
          for (const field of [0x681en, 0x6820n, 0x2800n]) {
            cpu.vmwrite(field, BigInt(index));
            cpu.vmread(field);
          }
          cpu.vmread(0x4400n);
        }
        return events;
      };
    },
  };
}

function given(outcome: Outcome): bigint {
  return 'value' in outcome && typeof outcome.value === 'bigint' ? outcome.value : 0n;
}

function must(outcome: Outcome): void {
  if (outcome.kind === 'fault' || 'rule' in outcome)
    throw new RangeError(
      `the benchmark is wrong: ${JSON.stringify(outcome, (_, part) => (typeof part === 'bigint' ? String(part) : part))}`,
    );
}

/** Events a second. */
export function intrinsics(effort: Effort): Section {
  const ours = [baseMix(effort), vmxMix(effort)];
  const times = measure(effort, [...ours, ...peers(effort)]);
  const rate = (name: string) => NANOSECONDS / (times.get(name) ?? Number.NaN);
  const isOurs = (name: string) => ours.some((each) => each.name === name);
  const rows = [...times.keys()].map((name): Row => {
    if (!isOurs(name)) return { name, value: rate(name), unit: 'events/s' };
    return {
      name,
      value: rate(name),
      unit: 'events/s',
      ratios: Object.fromEntries(
        [...times.keys()].filter((peer) => !isOurs(peer)).map((peer) => [`× ${peer}`, rate(name) / rate(peer)]),
      ),
      goals: [{ text: '200,000', met: rate(name) >= GOAL }],
    };
  });
  return { title: 'Intrinsics without observers', rows };
}
