// The examples do what their first lines say: the walk as a script and as machine code, and every wrong variant with the
// rule that it breaks and the write to blame.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  completed,
  createMachine,
  debugConsole,
  elfSymbols,
  type MachineState,
  type Outcome,
  parseElf,
  rawImage,
  type Timeline,
} from '@retrovisor/core';
import { vmSucceed, vmxMachineIn, vmxProcessorIn } from '@retrovisor/vmx';
import { describe, expect, it, vi } from 'vitest';
import enableSvm, { machine as svmOptions } from '../../examples/svm/enable-svm.js';
import walkScript, {
  machine as options,
  VMCS_REGION,
  VMXON_REGION,
  type WalkMachine,
} from '../../examples/walk/walk.js';
import { ROOT } from '../support/source-tree.js';

const WALK = join(ROOT, 'examples/walk');
const IMAGE = readFileSync(join(WALK, 'walk.bin'));
const hasNasm = spawnSync('nasm', ['-v']).status === 0;
const hasLinker = hasNasm && spawnSync('ld', ['-v']).status === 0;

/** The module that a script is. */
interface WrongVariant {
  readonly default: (machine: WalkMachine) => Outcome;
  readonly machine: typeof options;
  readonly expected: Outcome;
}

/** Of each wrong variant: what the decisive rule read that made it fail, and the step that wrote it. */
const BLAME: Readonly<Record<string, readonly [location: string, writer: string | undefined]>> = {
  'address-beyond-width': ['processor/0/IA32_VMX_BASIC', undefined],
  'cr0-ne-clear': ['processor/0/CR0.NE', 'movToCr0(0x80010011)'],
  'feature-control-disabled': ['processor/0/IA32_FEATURE_CONTROL.2', 'wrmsr(0x3a, 0x1)'],
  'feature-control-unlocked': ['processor/0/IA32_FEATURE_CONTROL.0', 'wrmsr(0x3a, 0x4)'],
  'linear-address': ['[0x1800000+4]', undefined],
  'read-only-field': ['processor/0/IA32_VMX_MISC', 'set IA32_VMX_MISC = 0x5004c1e7'],
  'revision-bit-31': ['[0x200000+4]', 'write 4096 bytes at 0x200000'],
  'revision-wrong': ['[0x200000+4]', 'write 4096 bytes at 0x200000'],
  'vmcs-in-vmxon-region': ['processor/0/slice/vmx/vmxonPointer', 'vmxon(0x200000)'],
  'vmxe-clear': ['processor/0/CR4.VMXE', 'movToCr4(0xa0)'],
  'vmxoff-on-another-processor': ['processor/1/slice/vmx/inVmxOperation', undefined],
  'vmxon-twice': ['processor/0/slice/vmx/inVmxOperation', 'vmxon(0x200000)'],
};
const WITHOUT_BLAME = ['region-misaligned', 'remote-regions']; // an operand that the caller gave; nothing that fails

const variants = readdirSync(join(ROOT, 'examples/wrong')).map((file) => file.replace('.ts', ''));
const load = (name: string) => import(`../../examples/wrong/${name}.ts`) as Promise<WrongVariant>;

function machineWithImage() {
  const boot = rawImage({ bytes: IMAGE, mode: 'long', load: 0x10_0000 });
  return createMachine({ ...options, plugins: [...options.plugins, debugConsole], boot });
}

describe('the sum', () => {
  // What else is in the file differs from linker to linker.
  const meaningOf = (file: Uint8Array) => ({ program: parseElf(file), symbols: elfSymbols(file) });

  it.skipIf(!hasLinker)('is what nasm and ld make of its source (skipped where they are not)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'retrovisor-sum-'));
    const example = join(ROOT, 'examples/sum');
    try {
      execFileSync(join(example, 'build.sh'), [join(folder, 'sum.elf')]);
      const made = readFileSync(join(folder, 'sum.elf'));
      expect(meaningOf(made)).toEqual(meaningOf(readFileSync(join(example, 'sum.elf'))));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the walk as a script', () => {
  it('enters VMX operation, uses a first VMCS and leaves', () => {
    const machine = createMachine(options);
    expect(walkScript(machine)).toEqual(vmSucceed());
    expect(vmxProcessorIn(machine.state, 0)?.inVmxOperation).toBe(false);
    expect(machine.timeline().why()).toBeUndefined();
  });

  it('meets no hazard, and gives the other processors nothing', () => {
    const machine = createMachine(options);
    walkScript(machine);
    const steps = [...machine.timeline().steps()];
    expect(steps.filter(({ outcome }) => 'hazards' in outcome)).toEqual([]);
    const inRoot = machine.timeline().seek(positionBefore(machine.timeline(), 'vmxoff'));
    expect(inRoot.processors.map(({ id }) => vmxProcessorIn(inRoot, id)?.inVmxOperation)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('the walk as machine code', () => {
  it('says on the debug console that it is done and exits with 0', () => {
    const machine = machineWithImage();
    let text = '';
    machine.emissions$.subscribe((emission) => {
      if (emission.type === 'console/byteWritten') text += String.fromCharCode(emission.byte);
    });
    expect(machine.run({ maxSteps: 100_000 }).stop).toEqual({ reason: 'exit', value: 0 });
    expect(text).toBe('VMX operation: entered, used and left\n');
  });

  it.each(['vmptrld', 'vmwrite', 'vmclear', 'vmxoff'])(
    'is in the same VMX state as the script before its last %s',
    (mnemonic) => {
      const script = createMachine(options);
      walkScript(script);
      const image = machineWithImage();
      image.run({ maxSteps: 100_000 });
      expect(vmxStateBefore(image.timeline(), mnemonic)).toEqual(vmxStateBefore(script.timeline(), mnemonic));
    },
  );

  it.skipIf(!hasNasm)('is what nasm makes of its source (skipped where there is no nasm)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'retrovisor-walk-'));
    try {
      execFileSync(join(WALK, 'build.sh'), [join(folder, 'walk.bin')]);
      expect(readFileSync(join(folder, 'walk.bin')).equals(IMAGE)).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('enabling SVM', () => {
  it('sets EFER.SVME on one processor and carries state through a VMCB', () => {
    const machine = createMachine(svmOptions);
    expect(enableSvm(machine)).toEqual(completed());
    const timeline = machine.timeline();
    expect([0, 1].map((id) => timeline.read(`processor/${id}/IA32_EFER.SVME`))).toEqual([1n, 0n]);
    expect(timeline.lastWrite('vmcb:LSTAR')?.text).toBe('vmsave(0x201000)');
    expect(timeline.why()).toBeUndefined();
  });
});

describe('a wrong variant', () => {
  it.each(variants.filter((name) => name !== 'remote-regions'))(
    '%s ends as it says, and why names the rule',
    async (name) => {
      const { default: script, machine: its, expected } = await load(name);
      const machine = createMachine(its);
      expect(script(machine)).toEqual(expected);
      const decided = machine
        .timeline()
        .why()
        ?.violations.filter((violation) => violation.decided);
      expect(decided?.map(({ rule }) => rule)).toEqual(['rule' in expected ? expected.rule : undefined]);
      expect(decided?.[0]?.manual?.title).toBeTruthy();
    },
  );

  it.each(Object.entries(BLAME))('%s is blamed on the write of %s', async (name, [location, writer]) => {
    const { default: script, machine: its } = await load(name);
    const machine = createMachine(its);
    script(machine);
    const fields =
      machine
        .timeline()
        .why()
        ?.violations.find(({ decided }) => decided)?.fields ?? [];
    expect(fields.find((field) => field.location === location)).toBeDefined();
    expect(fields.find((field) => field.location === location)?.writer?.text).toBe(writer);
  });

  it('has an expected blame here, or a reason for none', () => {
    expect([...Object.keys(BLAME), ...WITHOUT_BLAME].toSorted()).toEqual(variants.toSorted());
  });

  it('remote-regions succeeds and costs more', async () => {
    const { default: script, expected } = await load('remote-regions');
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    expect(script(createMachine(options))).toEqual(expected);
    expect(printed.mock.calls.flat().join('\n')).toMatch(/memory of node 1 cost \d+ cycles.*slower, not wrong/);
    printed.mockRestore();
  });
});

/** The position of the last step with a mnemonic, be it an intrinsic or machine code. */
function positionBefore(timeline: Timeline, mnemonic: string): number {
  const found = timeline.previous(
    ({ text }) => text === mnemonic || text.startsWith(`${mnemonic} `) || text.startsWith(`${mnemonic}(`),
  );
  return found?.position ?? Number.NaN;
}

function vmxStateBefore(timeline: Timeline, mnemonic: string) {
  return vmxStateOf(timeline.seek(positionBefore(timeline, mnemonic)));
}

/** Everything that belongs to VMX but the positions at which it came about. */
function vmxStateOf(state: MachineState) {
  const regions = Object.entries(vmxMachineIn(state)?.regions ?? {});
  return {
    processors: state.processors.map(({ id, control, msrs }) => ({
      vmx: vmxProcessorIn(state, id),
      CR4: id === 0 ? control.CR4 : undefined, // the others stand at RESET beside an image
      IA32_FEATURE_CONTROL: msrs['IA32_FEATURE_CONTROL'],
    })),
    regions: regions.map(([address, uses]) => [address, uses.map(({ as, processor }) => ({ as, processor }))]),
    memory: [VMXON_REGION, VMCS_REGION].map((address) => state.memory.read(Number(address), 4096)),
  };
}
