import { describe, expect, it } from 'vitest';
import { fieldNamed, fieldOffset, supportedFields, vmFailInvalid, vmFailValid, vmSucceed } from '../../src/index.js';
import { DATA, execute, readValue, rootMachine, statusFlags, VMCS, writeValue } from '../support/machine.js';
import { MODES } from '../support/modes.js';

const PATTERN = 0xfedc_ba98_7654_3210n;
const LINK_POINTER = 0x2800n;
const GUEST_RIP = 0x681en;
const HIGH = 1n;

const VMREAD_RCX_RAX = [0x0f, 0x78, 0xc1];
const VMWRITE_RAX_RCX = [0x0f, 0x79, 0xc1];
const VMREAD_MEMORY_RAX = [0x0f, 0x78, 0x03];
const VMWRITE_RAX_MEMORY = [0x0f, 0x79, 0x03];

describe('VMWRITE and VMREAD', () => {
  it('reach every supported field, cut to its width, and no other', () => {
    const machine = rootMachine();
    const cpu = machine.processor(0);
    for (const field of supportedFields(machine.definition.profile)) {
      expect(cpu.vmwrite(field.encoding, PATTERN)).toEqual(vmSucceed());
      expect(cpu.vmread(field.encoding)).toEqual(vmSucceed({ value: BigInt.asUintN(field.bytes * 8, PATTERN) }));
      cpu.vmwrite(field.encoding, 0n);
    }
    // What is left of the region is the header: nothing was written outside a field.
    expect(machine.state.memory.read(VMCS + 16n, 4080).every((byte) => byte === 0)).toBe(true);
  });

  it('keep the VMCS in memory, in the documented layout', () => {
    const machine = rootMachine();
    machine.processor(0).vmwrite(GUEST_RIP, PATTERN);
    expect(readValue(machine, VMCS + BigInt(fieldOffset(fieldNamed('Guest RIP'))), 8)).toBe(PATTERN);
  });

  it('access bits 63:32 of a 64-bit field with access type high', () => {
    const cpu = rootMachine().processor(0);
    cpu.vmwrite(LINK_POINTER, PATTERN);
    expect(cpu.vmread(LINK_POINTER + HIGH)).toEqual(vmSucceed({ value: PATTERN >> 32n }));
    cpu.vmwrite(LINK_POINTER + HIGH, 0x1111_2222_3333_4444n);
    expect(cpu.vmread(LINK_POINTER)).toEqual(vmSucceed({ value: 0x3333_4444_7654_3210n }));
  });

  it('are VMfailInvalid without a current VMCS', () => {
    const cpu = rootMachine().processor(0);
    cpu.vmclear(VMCS);
    expect(cpu.vmread(GUEST_RIP)).toEqual(vmFailInvalid({ rule: 'vmx.vmread.no-current' }));
    expect(cpu.vmwrite(GUEST_RIP, 1n)).toEqual(vmFailInvalid({ rule: 'vmx.vmwrite.no-current' }));
  });

  it.each([0x4001n, 0x1800n, 0x8000_681en, 0x1_0000_681en, 0x2812n])(
    'are VMfail(12) with the encoding %#x in 64-bit mode',
    (encoding) => {
      const cpu = rootMachine().processor(0);
      expect(cpu.vmread(encoding)).toEqual(vmFailValid(12, { rule: 'vmx.vmread.unsupported' }));
      expect(cpu.vmwrite(encoding, 1n)).toEqual(vmFailValid(12, { rule: 'vmx.vmwrite.unsupported' }));
      expect(statusFlags(cpu.read('RFLAGS'))).toBe('ZF');
    },
  );
});

describe('VMWRITE to a VM-exit information field', () => {
  it('is VMfail(13) where IA32_VMX_MISC[29] is 0', () => {
    const cpu = rootMachine().processor(0);
    cpu.set('IA32_VMX_MISC', cpu.read('IA32_VMX_MISC') & ~(1n << 29n));
    expect(cpu.vmwrite(0x4402n, 1n)).toEqual(vmFailValid(13, { rule: 'vmx.vmwrite.read-only' }));
    expect(cpu.vmread(0x4402n)).toEqual(vmSucceed({ value: 0n }));
  });

  it('is a write where it is 1', () => {
    const cpu = rootMachine().processor(0);
    expect(cpu.vmwrite(0x4402n, 7n)).toEqual(vmSucceed());
    expect(cpu.vmread(0x4402n)).toEqual(vmSucceed({ value: 7n }));
  });
});

describe('in 64-bit mode', () => {
  it('the register operands have 64 bits, and a shorter field is zero-extended', () => {
    const machine = rootMachine();
    const cpu = machine.processor(0);
    cpu.set('RAX', 0x0802n); // Guest CS selector
    cpu.set('RCX', PATTERN);
    expect(execute(machine, VMWRITE_RAX_RCX)).toMatchObject({ kind: 'vmx/VMsucceed' });
    expect(execute(machine, VMREAD_RCX_RAX)).toMatchObject({ kind: 'vmx/VMsucceed' });
    expect(cpu.read('RCX')).toBe(0x3210n);
  });

  it('the memory operands have 64 bits', () => {
    const machine = rootMachine();
    machine.processor(0).set('RAX', GUEST_RIP);
    machine.processor(0).set('RBX', DATA);
    writeValue(machine, DATA, 8, PATTERN);
    execute(machine, VMWRITE_RAX_MEMORY);
    writeValue(machine, DATA, 8, 0n);
    execute(machine, VMREAD_MEMORY_RAX);
    expect(readValue(machine, DATA, 8)).toBe(PATTERN);
  });
});

describe('in protected mode', () => {
  const machineInProtectedMode = (encoding: bigint) => {
    const machine = rootMachine();
    machine.processor(0).vmwrite(encoding & ~HIGH, PATTERN);
    MODES['protected mode'](machine);
    machine.processor(0).set('RAX', encoding);
    machine.processor(0).set('RBX', DATA);
    return machine;
  };

  it('VMREAD does not read the high bits of a longer field', () => {
    const machine = machineInProtectedMode(GUEST_RIP);
    execute(machine, VMREAD_RCX_RAX);
    expect(machine.processor(0).read('RCX')).toBe(0x7654_3210n);
  });

  it('VMREAD stores 32 bits to memory', () => {
    const machine = machineInProtectedMode(LINK_POINTER + HIGH);
    writeValue(machine, DATA, 8, 0n);
    execute(machine, VMREAD_MEMORY_RAX);
    expect(readValue(machine, DATA, 8)).toBe(0xfedc_ba98n);
  });

  it('VMWRITE clears the high bits of a longer field', () => {
    const machine = machineInProtectedMode(LINK_POINTER);
    machine.processor(0).set('RCX', 0x5n);
    execute(machine, VMWRITE_RAX_RCX);
    expect(readValue(machine, VMCS + BigInt(fieldOffset(fieldNamed('VMCS link pointer'))), 8)).toBe(5n);
  });

  it('bits 63:32 of the register with the encoding do not count', () => {
    const machine = machineInProtectedMode(GUEST_RIP | (1n << 40n));
    expect(execute(machine, VMREAD_RCX_RAX)).toMatchObject({ kind: 'vmx/VMsucceed' });
  });

  it('the intrinsics have 32-bit operands too', () => {
    const machine = machineInProtectedMode(GUEST_RIP);
    expect(machine.processor(0).vmread(GUEST_RIP)).toEqual(vmSucceed({ value: 0x7654_3210n }));
  });
});
