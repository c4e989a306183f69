import { createMachine, fault, longMode, NotModelled } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { svm } from '../src/index.js';
import { SVM_MSRS } from '../src/msrs.js';
import { MSR_ENTRIES } from './support/spec-entries.js';
import { SVME, type SvmProcessorHandle, svmMachine, withoutCpuid } from './support/svm-machine.js';

/** Inventory entries that have no row, and why; access is #GP(0) as for any MSR that does not exist. */
const NOT_MODELLED: Readonly<Record<string, string>> = {
  'svmmsr.0xC0010119': 'SMM_KEY: system-management mode',
  'svmmsr.0xC001011A': 'local SMI status: system-management mode',
  'svmmsr.0xC001011B': 'AVIC_DOORBELL: comes with AVIC, which CPUID does not show',
  'svmmsr.0xC001011E': 'VMPAGE_FLUSH: comes with SEV, which CPUID does not show',
  'svmmsr.0xC0010130': 'GHCB: comes with SEV-ES, which CPUID does not show',
  'svmmsr.0xC0010131': 'SEV_STATUS: comes with SEV, which CPUID does not show',
  'svmmsr.0xC0010132': 'RMP_BASE: comes with SEV-SNP, which CPUID does not show',
  'svmmsr.0xC0010133': 'RMP_END: comes with SEV-SNP, which CPUID does not show',
  'svmmsr.0xC0010135': 'VIRTUAL_TOM: comes with SEV-SNP, which CPUID does not show',
};
const EFER_ID = 'svmmsr.0xC0000080';
const [LOCK, SVMDIS] = [1n << 3n, 1n << 4n];
const { VM_CR, VM_HSAVE_PA, SVM_KEY, TSC_RATIO, IGNNE, SMM_CTL } = Object.fromEntries(
  Object.entries(SVM_MSRS).map(([name, { address }]) => [name, BigInt(address)]),
) as Record<string, bigint> & Record<'VM_CR' | 'VM_HSAVE_PA' | 'SVM_KEY' | 'TSC_RATIO' | 'IGNNE' | 'SMM_CTL', bigint>;
const EFER = 0xc000_0080n;

const GP0 = expect.objectContaining({ kind: 'fault', vector: '#GP', errorCode: 0 });
const done = expect.objectContaining({ kind: 'completed' });
const refusedBy = (rule: string) => fault('#GP', { errorCode: 0, rule });

function disabled(): SvmProcessorHandle {
  const cpu = svmMachine().processor(0);
  cpu.set('IA32_EFER', cpu.read('IA32_EFER') & ~SVME);
  return cpu;
}

describe('the MSRs of SVM', () => {
  it('are those of the inventory, or listed as not modelled', () => {
    const rows = MSR_ENTRIES.filter(({ id }) => id !== EFER_ID && !(id in NOT_MODELLED));
    expect(rows.map(({ name, address }) => [name, Number(address)]).toSorted()).toEqual(
      Object.entries(SVM_MSRS)
        .map(([name, { address }]) => [name, address])
        .toSorted(),
    );
    expect(MSR_ENTRIES.length).toBe(rows.length + 1 + Object.keys(NOT_MODELLED).length);
  });

  it('are #GP(0) where they are not modelled', () => {
    const cpu = svmMachine().processor(0);
    for (const { id, address } of MSR_ENTRIES)
      if (id in NOT_MODELLED) expect(cpu.rdmsr(BigInt(address)), id).toEqual(GP0);
  });

  it('do not exist on a processor without SVM', () => {
    const cpu = svmMachine(withoutCpuid(0x8000_0001, 'ecx', 4)).processor(0);
    for (const name of ['VM_CR', 'VM_HSAVE_PA', 'IGNNE', 'SMM_CTL'] as const)
      expect(cpu.rdmsr(BigInt(SVM_MSRS[name]?.address ?? 0)), name).toEqual(GP0);
  });
});

describe('EFER.SVME', () => {
  it('can be set and cleared by WRMSR', () => {
    const cpu = disabled();
    const efer = cpu.read('IA32_EFER');
    expect(cpu.wrmsr(EFER, efer | SVME)).toEqual(done);
    expect(cpu.read('IA32_EFER')).toBe(efer | SVME);
    expect(cpu.wrmsr(EFER, efer)).toEqual(done);
  });

  it('must be written as 0 while VM_CR.SVMDIS is 1', () => {
    const cpu = disabled();
    cpu.wrmsr(VM_CR, SVMDIS);
    expect(cpu.wrmsr(EFER, cpu.read('IA32_EFER') | SVME)).toEqual(refusedBy('svm.efer.svme.svmdis'));
    expect(cpu.read('IA32_EFER') & SVME).toBe(0n);
    expect(cpu.wrmsr(EFER, cpu.read('IA32_EFER'))).toEqual(done);
  });

  it('is reserved on a processor without SVM', () => {
    const machine = createMachine({ profile: withoutCpuid(0x8000_0001, 'ecx', 4), plugins: [svm], boot: longMode() });
    const cpu = machine.processor(0);
    expect(cpu.wrmsr(EFER, cpu.read('IA32_EFER') | SVME)).toEqual(GP0);
  });

  it('is of one processor: the others keep theirs', () => {
    const machine = svmMachine('amd-server', 2);
    machine.processor(0).wrmsr(EFER, machine.processor(0).read('IA32_EFER') & ~SVME);
    expect(machine.processor(0).clgi()).toMatchObject({ vector: '#UD' });
    expect(machine.processor(1).clgi()).toEqual(done);
  });

  it('leaves GIF as it is when it is cleared, which is a hazard while GIF is 0', () => {
    const cpu = svmMachine().processor(0);
    cpu.clgi();
    const outcome = cpu.wrmsr(EFER, cpu.read('IA32_EFER') & ~SVME);
    expect(outcome).toMatchObject({
      kind: 'completed',
      hazards: [{ hazard: 'svm.svme-cleared-with-gif-clear', processor: 0 }],
    });
    expect(cpu.read('svm.GIF')).toBe(0n);
  });
});

describe('VM_CR', () => {
  it('is 0 after RESET and has five bits; the others are reserved', () => {
    const cpu = disabled();
    expect(cpu.read('VM_CR')).toBe(0n);
    expect(cpu.wrmsr(VM_CR, 0b1_0111n)).toEqual(done);
    expect(cpu.read('VM_CR')).toBe(0b1_0111n);
    for (const bit of [5n, 31n, 32n, 63n]) expect(cpu.wrmsr(VM_CR, 1n << bit), `bit ${bit}`).toEqual(GP0);
  });

  it('is #GP(0) for SVMDIS while EFER.SVME is 1, whatever LOCK is', () => {
    for (const locked of [0n, LOCK]) {
      const cpu = svmMachine().processor(0);
      cpu.wrmsr(VM_CR, locked);
      expect(cpu.wrmsr(VM_CR, SVMDIS)).toEqual(refusedBy('svm.vm-cr.svmdis-while-svme'));
      expect(cpu.read('VM_CR')).toBe(locked);
    }
  });

  it('ignores writes to LOCK and SVMDIS silently while LOCK is 1', () => {
    const cpu = disabled();
    cpu.wrmsr(VM_CR, LOCK | SVMDIS);
    expect(cpu.wrmsr(VM_CR, 0b101n)).toEqual(done);
    expect(cpu.read('VM_CR')).toBe(LOCK | SVMDIS | 0b101n);
  });

  it('keeps SVMDIS clear when it was locked so', () => {
    const cpu = disabled();
    cpu.wrmsr(VM_CR, LOCK);
    expect(cpu.wrmsr(VM_CR, LOCK | SVMDIS)).toEqual(done);
    expect(cpu.read('VM_CR')).toBe(LOCK);
  });
});

describe('SVM_KEY', () => {
  it('unlocks VM_CR when the value written equals the key', () => {
    const cpu = disabled();
    cpu.wrmsr(SVM_KEY, 0x1234n);
    cpu.wrmsr(VM_CR, LOCK | SVMDIS);
    expect(cpu.wrmsr(SVM_KEY, 0x1235n)).toEqual(done);
    expect(cpu.read('VM_CR')).toBe(LOCK | SVMDIS);
    expect(cpu.wrmsr(SVM_KEY, 0x1234n)).toEqual(done);
    expect(cpu.read('VM_CR')).toBe(SVMDIS);
  });

  it('does not unlock with a key of 0', () => {
    const cpu = disabled();
    cpu.wrmsr(VM_CR, LOCK);
    cpu.wrmsr(SVM_KEY, 0n);
    expect(cpu.read('VM_CR')).toBe(LOCK);
  });

  it('reads as 0, and is there only with SVML', () => {
    const cpu = disabled();
    cpu.wrmsr(SVM_KEY, 0x1234n);
    expect(cpu.rdmsr(SVM_KEY)).toMatchObject({ kind: 'completed', value: 0n });
    expect(
      svmMachine(withoutCpuid(0x8000_000a, 'edx', 4))
        .processor(0)
        .wrmsr(SVM_KEY, 1n),
    ).toEqual(GP0);
  });
});

describe('VM_HSAVE_PA', () => {
  it('takes a page-aligned address within the physical-address width', () => {
    const cpu = disabled();
    for (const address of [0n, 0x1000n, (1n << 52n) - 0x1000n]) {
      expect(cpu.wrmsr(VM_HSAVE_PA, address)).toEqual(done);
      expect(cpu.read('VM_HSAVE_PA')).toBe(address);
    }
  });

  it('is #GP(0) for any of the low 12 bits, and for an address beyond the width', () => {
    const cpu = disabled();
    for (let bit = 0n; bit < 12n; bit += 1n) expect(cpu.wrmsr(VM_HSAVE_PA, 1n << bit), `bit ${bit}`).toEqual(GP0);
    for (let bit = 52n; bit < 64n; bit += 1n)
      expect(cpu.wrmsr(VM_HSAVE_PA, 1n << bit), `bit ${bit}`).toEqual(refusedBy('svm.vm-hsave-pa.width'));
    expect(cpu.read('VM_HSAVE_PA')).toBe(0n);
  });
});

describe('TSC_RATIO', () => {
  it('is 1.0 after RESET; bits 63:40 are reserved', () => {
    const cpu = disabled();
    expect(cpu.read('TSC_RATIO')).toBe(1n << 32n);
    expect(cpu.wrmsr(TSC_RATIO, 0xff_ffff_ffffn)).toEqual(done);
    expect(cpu.wrmsr(TSC_RATIO, 1n << 40n)).toEqual(GP0);
  });

  it('does not exist without TscRateMsr', () => {
    expect(
      svmMachine(withoutCpuid(0x8000_000a, 'edx', 1 << 4))
        .processor(0)
        .rdmsr(TSC_RATIO),
    ).toEqual(GP0);
  });
});

describe('IGNNE and SMM_CTL', () => {
  it('IGNNE has one bit', () => {
    const cpu = disabled();
    expect(cpu.wrmsr(IGNNE, 1n)).toEqual(done);
    expect(cpu.rdmsr(IGNNE)).toMatchObject({ value: 1n });
    expect(cpu.wrmsr(IGNNE, 2n)).toEqual(GP0);
  });

  it('SMM_CTL is write-only, and a write stops the machine by name, leaving it as it was', () => {
    const machine = svmMachine();
    const cpu = machine.processor(0);
    expect(cpu.rdmsr(SMM_CTL)).toEqual(refusedBy('svm.smm-ctl.write-only'));
    const before = machine.state;
    expect(() => cpu.wrmsr(SMM_CTL, 1n)).toThrow(NotModelled);
    expect(machine.position).toBe(before.position);
    expect(machine.state.processors[0]).toEqual(before.processors[0]);
  });
});
