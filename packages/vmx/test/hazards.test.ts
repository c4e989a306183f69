import type { HazardReport, Outcome } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { REGION_HEADER, vmxMachineIn } from '../src/index.js';
import {
  bootedMachine,
  DATA,
  execute,
  OTHER_VMCS,
  REVISION,
  rootMachine,
  VMCS,
  VMXON_REGION,
  VMXON_REGIONS,
  writeValue,
} from './support/machine.js';

const MOV_RBX_RAX = [0x48, 0x89, 0x03];
const MOV_RAX_RBX = [0x48, 0x8b, 0x03];

function reports(outcome: Outcome): readonly HazardReport[] {
  return 'hazards' in outcome ? (outcome.hazards as readonly HazardReport[]) : [];
}

const ids = (outcome: Outcome) => reports(outcome).map(({ hazard }) => hazard);

describe('a VMCS that is active on two logical processors', () => {
  it('is reported with both positions', () => {
    const machine = rootMachine();
    const activated = machine.position - 1;
    machine.processor(1).vmxon(VMXON_REGIONS[1]);
    const here = machine.position;
    expect(reports(machine.processor(1).vmptrld(VMCS))).toEqual([
      {
        hazard: 'vmx.hazard.vmcs-active-elsewhere',
        position: here,
        processor: 1,
        facts: { region: VMCS, as: 'active VMCS', processor: 0, since: activated },
      },
    ]);
  });

  it('is none after VMCLEAR on the first', () => {
    const machine = rootMachine();
    machine.processor(0).vmclear(VMCS);
    machine.processor(1).vmxon(VMXON_REGIONS[1]);
    expect(ids(machine.processor(1).vmptrld(VMCS))).toEqual([]);
  });

  it('is not ended by VMCLEAR on the second', () => {
    const machine = rootMachine();
    machine.processor(1).vmxon(VMXON_REGIONS[1]);
    expect(ids(machine.processor(1).vmclear(VMCS))).toEqual(['vmx.hazard.vmclear-elsewhere']);
    expect(Object.values(vmxMachineIn(machine.state)?.regions ?? {}).flat()).toContainEqual(
      expect.objectContaining({ as: 'active VMCS', processor: 0 }),
    );
  });
});

describe('an ordinary store', () => {
  const storeAt = (address: bigint, machine = rootMachine(), processor = 0) => {
    machine.processor(processor).set('RBX', address);
    return execute(machine, MOV_RBX_RAX, processor);
  };

  it('into an active VMCS region is reported with the place and the VMPTRLD', () => {
    const [report] = reports(storeAt(VMCS + 0x100n));
    expect(report).toMatchObject({
      hazard: 'vmx.hazard.store-to-active-vmcs',
      facts: { region: VMCS, processor: 0, address: Number(VMCS + 0x100n), bytes: 8 },
    });
  });

  it('into the VMXON region is reported', () => {
    expect(ids(storeAt(VMXON_REGION))).toEqual(['vmx.hazard.store-to-vmxon-region']);
  });

  it('by another processor is reported', () => {
    expect(ids(storeAt(VMCS + 8n, rootMachine(), 1))).toEqual(['vmx.hazard.store-to-active-vmcs']);
  });

  it('beyond the region size that IA32_VMX_BASIC reports is none', () => {
    expect(ids(storeAt(VMCS + 1280n))).toEqual([]);
  });

  it('elsewhere, or after VMCLEAR, is none', () => {
    expect(ids(storeAt(DATA))).toEqual([]);
    const machine = rootMachine();
    machine.processor(0).vmclear(VMCS);
    expect(ids(storeAt(VMCS + 0x100n, machine))).toEqual([]);
  });

  it('after VMXOFF is none', () => {
    const machine = rootMachine();
    machine.processor(0).vmclear(VMCS);
    machine.processor(0).vmxoff();
    expect(ids(storeAt(VMXON_REGION, machine))).toEqual([]);
  });

  it('is still reported by a machine that goes on from a sealed state', () => {
    const machine = rootMachine();
    expect(machine.state.position).toBe(machine.position);
    expect(ids(storeAt(VMCS + 0x100n, machine))).toEqual(['vmx.hazard.store-to-active-vmcs']);
  });

  it('is none when it is a load, a VMWRITE or a debugger’s write', () => {
    const machine = rootMachine();
    machine.processor(0).set('RBX', VMCS + 0x100n);
    expect(ids(execute(machine, MOV_RAX_RBX))).toEqual([]);
    expect(ids(machine.processor(0).vmwrite(0x681en, 1n))).toEqual([]);
    expect(ids(machine.writeMemory(VMCS + 0x100n, Uint8Array.of(1)))).toEqual([]);
  });
});

describe('VMXOFF', () => {
  it('reports each VMCS that is still active', () => {
    const machine = rootMachine();
    const cpu = machine.processor(0);
    cpu.vmclear(OTHER_VMCS);
    cpu.vmptrld(OTHER_VMCS);
    expect(reports(cpu.vmxoff()).map(({ hazard, facts }) => [hazard, facts['region']])).toEqual([
      ['vmx.hazard.vmxoff-with-active-vmcs', VMCS],
      ['vmx.hazard.vmxoff-with-active-vmcs', OTHER_VMCS],
    ]);
  });

  it('reports nothing of another processor', () => {
    const machine = rootMachine();
    machine.processor(1).vmxon(VMXON_REGIONS[1]);
    expect(ids(machine.processor(1).vmxoff())).toEqual([]);
  });
});

describe('VMPTRLD', () => {
  it('of a region that VMCLEAR never initialised is reported', () => {
    const machine = rootMachine();
    expect(ids(machine.processor(0).vmptrld(OTHER_VMCS))).toEqual(['vmx.hazard.vmptrld-without-vmclear']);
  });

  it('of a region whose launch state was overwritten is reported', () => {
    const machine = rootMachine();
    machine.processor(0).vmclear(OTHER_VMCS);
    writeValue(machine, OTHER_VMCS + BigInt(REGION_HEADER['launch state']), 4, 0x55n);
    expect(ids(machine.processor(0).vmptrld(OTHER_VMCS))).toEqual(['vmx.hazard.vmptrld-without-vmclear']);
  });
});

describe('a VMXON region', () => {
  it('of two processors is reported', () => {
    const machine = bootedMachine();
    machine.processor(0).vmxon(VMXON_REGION);
    expect(ids(machine.processor(1).vmxon(VMXON_REGION))).toEqual(['vmx.hazard.vmxon-region-shared']);
  });

  it('that is another processor’s active VMCS is reported', () => {
    const machine = rootMachine();
    expect(ids(machine.processor(1).vmxon(VMCS))).toEqual(['vmx.hazard.vmxon-region-shared']);
  });

  it('that is cleared or loaded as a VMCS by another processor is reported', () => {
    const machine = rootMachine();
    const other = machine.processor(1);
    other.vmxon(VMXON_REGIONS[1]);
    expect(ids(other.vmclear(VMXON_REGION))).toEqual(['vmx.hazard.store-to-vmxon-region']);
    writeValue(machine, VMXON_REGION, 4, REVISION);
    expect(ids(other.vmptrld(VMXON_REGION))).toEqual(['vmx.hazard.vmxon-region-shared']);
  });
});
