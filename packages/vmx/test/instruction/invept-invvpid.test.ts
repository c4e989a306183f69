import { fault, findProfile, type Outcome } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { isValidEptp } from '../../src/ept/eptp.js';
import { vmFailInvalid, vmFailValid, vmSucceed } from '../../src/index.js';
import {
  DATA,
  execute,
  rootMachine,
  statusFlags,
  VMCS,
  type VmxMachineUnderTest,
  writeValue,
} from '../support/machine.js';
import { MODES } from '../support/modes.js';
import { EPTP } from '../support/violations.js';

const INVEPT = [0x66, 0x0f, 0x38, 0x80, 0x03]; // invept rax, [rbx]
const INVVPID = [0x66, 0x0f, 0x38, 0x81, 0x03]; // invvpid rax, [rbx]
const NOT_PRESENT = 0x80_0000_0000n;
/** Boot maps 4 GiB. */
const MAPPED_END = 1n << 32n;

function decoded(
  code: readonly number[],
  type: bigint,
  low: bigint,
  high: bigint,
  mode: (machine: VmxMachineUnderTest) => void = MODES['64-bit mode'],
) {
  const machine = rootMachine();
  mode(machine);
  writeValue(machine, DATA, 8, low);
  writeValue(machine, DATA + 8n, 8, high);
  machine.processor(0).set('RAX', type);
  machine.processor(0).set('RBX', DATA);
  return { machine, outcome: execute(machine, code) };
}

const flags = (machine: VmxMachineUnderTest) => statusFlags(machine.processor(0).read('RFLAGS'));

describe('INVEPT', () => {
  it.each([
    [0n, EPTP, 0n, vmFailValid(28, { rule: 'vmx.invept.type' })],
    [1n, EPTP, 0n, vmSucceed()],
    [1n, EPTP | 0x800n, 0n, vmFailValid(28, { rule: 'vmx.invept.eptp' })],
    [2n, 0xfffn, 0n, vmSucceed()],
    [2n, 0n, 1n, vmFailValid(28, { rule: 'vmx.invept.desc-reserved' })],
    [3n, EPTP, 0n, vmFailValid(28, { rule: 'vmx.invept.type' })],
    [1n << 32n, EPTP, 0n, vmFailValid(28, { rule: 'vmx.invept.type' })],
  ])('of type %i with descriptor %i, %i', (type, low, high, expected) => {
    const { machine, outcome } = decoded(INVEPT, type, low, high);
    expect(outcome).toEqual(expected);
    expect(flags(machine)).toBe(expected.kind === 'vmx/VMsucceed' ? '' : 'ZF');
  });

  it('takes the low 32 bits of the register as the type in protected mode', () => {
    const { outcome } = decoded(INVEPT, 0x1_0000_0001n, EPTP, 0n, MODES['protected mode']);
    expect(outcome).toEqual(vmSucceed());
  });

  it('is VMfailInvalid without a current VMCS', () => {
    const machine = rootMachine();
    machine.processor(0).vmclear(VMCS);
    expect(machine.processor(0).invept(7n, EPTP, 0n)).toEqual(vmFailInvalid({ rule: 'vmx.invept.type' }));
    expect(flags(machine)).toBe('CF');
  });
});

describe('INVVPID', () => {
  it.each([
    [0n, 1n, 0x1000n, vmSucceed()],
    [0n, 0n, 0x1000n, vmFailValid(28, { rule: 'vmx.invvpid.vpid-zero' })],
    [0n, 1n, 0xaaaa_aaaa_aaaa_aaaan, vmFailValid(28, { rule: 'vmx.invvpid.noncanonical' })],
    [1n, 0xffffn, 0xaaaa_aaaa_aaaa_aaaan, vmSucceed()],
    [1n, 0n, 0n, vmFailValid(28, { rule: 'vmx.invvpid.vpid-zero' })],
    [2n, 0n, 0n, vmSucceed()],
    [2n, 0x1_0000n, 0n, vmFailValid(28, { rule: 'vmx.invvpid.desc-reserved' })],
    [3n, 5n, 0n, vmSucceed()],
    [3n, 0n, 0n, vmFailValid(28, { rule: 'vmx.invvpid.vpid-zero' })],
    [4n, 1n, 0n, vmFailValid(28, { rule: 'vmx.invvpid.type' })],
  ])('of type %i with descriptor %i, %i', (type, low, high, expected) => {
    expect(decoded(INVVPID, type, low, high).outcome).toEqual(expected);
  });
});

describe.each([
  ['INVEPT', INVEPT],
  ['INVVPID', INVVPID],
] as const)('the descriptor of %s', (mnemonic, code) => {
  const first = (outcome: Outcome) =>
    outcome.kind === 'shutdown' && 'chain' in outcome ? (outcome.chain as readonly unknown[])[0] : outcome;

  it('is not read if the type is not supported', () => {
    const machine = rootMachine();
    machine.processor(0).set('RAX', 9n);
    machine.processor(0).set('RBX', NOT_PRESENT);
    expect(execute(machine, code)).toMatchObject({ kind: 'vmx/VMfailValid', number: 28 });
  });

  it('has 128 bits: its second half may fault alone', () => {
    const machine = rootMachine();
    machine.processor(0).set('RAX', 2n);
    machine.processor(0).set('RBX', MAPPED_END - 8n);
    const rule = `vmx.${mnemonic.toLowerCase()}.mem-page`;
    const outcome = first(execute(machine, code));
    expect([outcome, machine.processor(0).read('CR2')]).toEqual([
      fault('#PF', { errorCode: 0, address: MAPPED_END, rule }),
      MAPPED_END,
    ]);
  });
});

describe('an EPTP', () => {
  const profile = findProfile('intel-server');
  const width = BigInt(profile.physicalAddressWidth);

  it('has memory type 0 or 6', () => {
    const accepted = [0, 1, 2, 3, 4, 5, 6, 7].filter((type) => isValidEptp(profile, (EPTP & ~7n) | BigInt(type)));
    expect(accepted).toEqual([0, 6]);
  });

  it('has a page-walk length of 4 or 5', () => {
    const lengths = [0, 1, 2, 3, 4, 5, 6, 7].map((less) => (EPTP & ~0x38n) | (BigInt(less) << 3n));
    expect(lengths.map((eptp) => isValidEptp(profile, eptp))).toEqual(
      [3, 4].reduce(
        (all, at) => all.with(at, true),
        Array.from({ length: 8 }, () => false),
      ),
    );
  });

  it('may set each feature bit that IA32_VMX_EPT_VPID_CAP reports, and no reserved one', () => {
    const accepted = Array.from({ length: 64 }, (_, bit) => bit).filter(
      (bit) => bit > 5 && isValidEptp(profile, 0x1en | (1n << BigInt(bit))),
    );
    const address = Array.from({ length: Number(width) - 12 }, (_, index) => index + 12);
    expect(accepted).toEqual([6, 7, ...address]);
  });

  it('may set none of them where it reports none', () => {
    const poor = { ...profile, msrs: { ...profile.msrs, [0x48c]: 0x4040n } }; // write-back, 4 levels
    expect([0x1en, 0x5en, 0x9en, 0x26n, 0x18n].map((eptp) => isValidEptp(poor, eptp))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
