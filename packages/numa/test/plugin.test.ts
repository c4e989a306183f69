// Counting, on machines that run: whatever accesses memory is counted once, by the node of its processor and of its memory.
import {
  apply,
  createMachine,
  defineInstruction,
  definePlugin,
  formatDigest,
  longMode,
  type MachineEvent,
  memorySink,
  openTrace,
  PLUGIN_API_VERSION,
  rawImage,
  sdm,
  stateDigest,
  verify,
  writeTrace,
} from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  costOf,
  countsOf,
  fitMachine,
  MACHINES,
  numa,
  parseMachineDescription,
  Topology,
  XEON_8360Y,
} from '../src/index.js';

const MIB = 2 ** 20;
const MEMORY = 64 * MIB;
const CODE = 0x10_0000;
const REMOTE = 48 * MIB;
const LOCAL = 2 * MIB;
const NOTHING = { reads: 0, writes: 0, cycles: 0 };

/** `VMXON`-like: an instruction that reads and writes a structure of its own by physical address. */
const TOUCH = defineInstruction({
  mnemonic: 'TOUCH',
  manual: sdm('VMXON—Enter VMX Operation'),
  reads: ['RAX'],
  writes: [],
  flags: 'unaffected',
  intrinsics: { touch: { operands: [], registers: ['RAX'] } },
  effect(cpu) {
    cpu.memory.write(cpu.RAX, 4, cpu.memory.read(cpu.RAX, 4) + 1n);
  },
});
const touching = definePlugin({
  name: 'touching',
  version: '0.0.0',
  apiVersion: PLUGIN_API_VERSION,
  instructions: [TOUCH],
});

function numaMachine(processors = 2, description = fitMachine(XEON_8360Y, { processors, memoryBytes: MEMORY })) {
  return createMachine({
    profile: 'intel-server',
    processors,
    memory: MEMORY,
    plugins: [numa(description), touching],
    boot: longMode(),
  });
}
type NumaMachine = ReturnType<typeof numaMachine>;

const STORE = [0x48, 0x89, 0x03]; // MOV [RBX], RAX
const LOAD = [0x48, 0x8b, 0x03]; // MOV RAX, [RBX]
const ADD = [0x48, 0x01, 0x03]; // ADD [RBX], RAX

function execute(machine: NumaMachine, id: number, bytes: readonly number[], address: number): void {
  const at = CODE + id * 0x1000;
  machine.writeMemory(at, Uint8Array.from(bytes));
  const cpu = machine.processor(id);
  cpu.set('RIP', BigInt(at));
  cpu.set('RBX', BigInt(address));
  cpu.set('activity', 0n); // processor 1 waits for SIPI
  cpu.step();
}

describe('the counts', () => {
  it('are 0 at first, for each node of each processor', () => {
    const machine = numaMachine();
    for (const id of [0, 1]) expect(countsOf(machine.state, id)).toEqual({ nodes: [NOTHING, NOTHING] });
  });

  it('have a load as one read and a store as one write of the node that has the memory', () => {
    const machine = numaMachine();
    execute(machine, 0, LOAD, LOCAL);
    execute(machine, 0, STORE, REMOTE);
    expect(countsOf(machine.state, 0)?.nodes).toEqual([
      { reads: 1, writes: 0, cycles: 214 },
      { reads: 0, writes: 1, cycles: 342 },
    ]);
    expect(countsOf(machine.state, 1)?.nodes).toEqual([NOTHING, NOTHING]);
  });

  it('have the same address local for one processor and remote for another', () => {
    const machine = numaMachine();
    execute(machine, 0, LOAD, REMOTE);
    execute(machine, 1, LOAD, REMOTE);
    expect(countsOf(machine.state, 0)?.nodes[1]).toEqual({ reads: 1, writes: 0, cycles: 342 });
    expect(countsOf(machine.state, 1)?.nodes[1]).toEqual({ reads: 1, writes: 0, cycles: 214 });
  });

  it('have a read and a write for an instruction that modifies memory', () => {
    const machine = numaMachine();
    execute(machine, 0, ADD, LOCAL);
    expect(countsOf(machine.state, 0)?.nodes[0]).toMatchObject({ reads: 1, writes: 1 });
  });

  it('have what an instruction reads and writes by physical address, its own structures', () => {
    const machine = numaMachine();
    machine.processor(0).touch(REMOTE);
    expect(countsOf(machine.state, 0)?.nodes).toEqual([NOTHING, { reads: 1, writes: 1, cycles: 684 }]);
  });

  it('do not have what a debugger does, nor devices and holes', () => {
    const machine = numaMachine();
    machine.writeMemory(REMOTE, Uint8Array.of(1));
    machine.processor(0).touch(0xfee0_0000);
    expect(countsOf(machine.state, 0)?.nodes).toEqual([NOTHING, NOTHING]);
  });

  it('are the same where code is generated, for processors that take turns', () => {
    // ADD [RBX], RAX; MOV RAX, [RBX+8]; ADD RBX, RSI; JMP back
    const loop = [0x48, 0x01, 0x03, 0x48, 0x8b, 0x43, 0x08, 0x48, 0x01, 0xf3, 0xeb, 0xf4];
    const inTurns = (compile: false | 0) => {
      const description = fitMachine(XEON_8360Y, { processors: 2, memoryBytes: MEMORY });
      const boot = rawImage({ bytes: Uint8Array.from(loop), mode: 'long', load: CODE });
      const plugins = [numa(description)] as const;
      const options = { profile: 'intel-server', processors: 2, memory: MEMORY, quantum: 700, plugins, boot } as const;
      const machine = createMachine({ ...options, compile });
      for (const [id, stride] of [0x1008, -0x1008].entries()) {
        const cpu = machine.processor(id);
        for (const register of ['CR0', 'CR3', 'CR4', 'IA32_EFER', 'CS.attributes', 'SS.attributes', 'DS.attributes'])
          cpu.set(register, machine.processor(0).read(register));
        cpu.set('RIP', BigInt(CODE));
        cpu.set('RBX', BigInt(LOCAL + 25 * MIB));
        cpu.set('RSI', BigInt.asUintN(64, BigInt(stride)));
        cpu.set('activity', 0n);
      }
      machine.run({ maxSteps: 20_000 });
      return machine;
    };
    const [reference, compiled] = [inTurns(false), inTurns(0)];
    expect(compiled.compiledSteps).toBeGreaterThan(15_000);
    for (const id of [0, 1]) expect(countsOf(compiled.state, id)).toEqual(countsOf(reference.state, id));
    for (const { writes } of countsOf(compiled.state, 0)?.nodes ?? []) expect(writes).toBeGreaterThan(500);
    expect(formatDigest(stateDigest(compiled.state))).toBe(formatDigest(stateDigest(reference.state)));
  });

  it('change nothing that a guest can see', () => {
    const machine = numaMachine();
    const bare = createMachine({
      profile: 'intel-server',
      processors: 2,
      memory: MEMORY,
      plugins: [touching],
      boot: longMode(),
    });
    for (const each of [machine, bare]) {
      each.writeMemory(CODE, Uint8Array.from([...LOAD, ...ADD, ...STORE]));
      each.processor(0).set('RIP', BigInt(CODE));
      each.processor(0).set('RBX', BigInt(REMOTE));
      each.processor(0).step(3);
    }
    expect({ ...machine.processor(0).state, plugins: {} }).toEqual({ ...bare.processor(0).state, plugins: {} });
    expect(machine.state.memory.read(REMOTE, 64)).toEqual(bare.state.memory.read(REMOTE, 64));
  });
});

describe('counters and accesses', () => {
  const access = fc.record({
    id: fc.nat(3),
    address: fc.nat(MEMORY / 8 - 1).map((quad) => quad * 8),
    bytes: fc.constantFrom(LOAD, STORE, ADD),
  });

  it('agree on random accesses, on every machine', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MACHINES), fc.array(access, { maxLength: 8 }), (real, accesses) => {
        const description = fitMachine(real, { processors: 4, memoryBytes: MEMORY });
        const machine = numaMachine(4, description);
        const topology = new Topology(description);
        const expected = { accesses: 0, cycles: 0 };
        for (const { id, address, bytes } of accesses.filter((each) => each.address > LOCAL)) {
          execute(machine, id, bytes, address);
          const count = bytes === ADD ? 2 : 1;
          expected.accesses += count;
          expected.cycles +=
            count * topology.latencyInCycles(topology.nodeOfProcessor(id) ?? -1, topology.nodeOfAddress(address) ?? -1);
        }
        const counted = [0, 1, 2, 3].flatMap((id) => countsOf(machine.state, id)?.nodes ?? []);
        expect(counted.reduce((sum, { reads, writes }) => sum + reads + writes, 0)).toBe(expected.accesses);
        expect(counted.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(expected.cycles);
      }),
      { numRuns: 15 },
    );
  });

  it('replay identically, wherever they are sealed', () => {
    const event: fc.Arbitrary<MachineEvent> = fc
      .tuple(fc.nat(1), fc.constantFrom(LOCAL, REMOTE, 0xfee0_0000))
      .map(([processor, address]) => ({
        type: 'processor/intrinsicExecuted',
        processor,
        intrinsic: 'touch',
        operands: [BigInt(address)],
      }));
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.boolean()), { maxLength: 20 }), (steps) => {
        const machine = numaMachine();
        const start = machine.state;
        for (const [next, look] of steps) {
          machine.apply(next);
          if (look) void machine.state;
        }
        const folded = steps.reduce((state, [next]) => apply(machine.definition, state, next).state, start);
        expect(folded.processors).toEqual(machine.state.processors);
      }),
      { numRuns: 25 },
    );
  });
});

describe('the plugin', () => {
  it('puts its description into the trace header', () => {
    const description = fitMachine(XEON_8360Y, { processors: 2, memoryBytes: MEMORY });
    expect(numa(description).configuration).toEqual(description);
  });

  it('is made again from a trace: the same counts, the same digests', () => {
    const machine = numaMachine();
    execute(machine, 1, ADD, REMOTE);
    machine.processor(0).touch(REMOTE);
    const sink = memorySink();
    writeTrace(machine.definition, machine.log, sink);
    const parts = { plugins: { touching, numa: (description: unknown) => numa(parseMachineDescription(description)) } };
    const { positions, digest } = verify(openTrace(sink.bytes()), parts);
    expect({ positions, digest }).toEqual({
      positions: machine.position,
      digest: formatDigest(stateDigest(machine.state)),
    });
  });

  it('refuses a bad description at once, and one that does not fit when a machine is made', () => {
    expect(() => numa({ ...XEON_8360Y, nodes: [] })).toThrow(
      expect.objectContaining({ code: 'BAD_MACHINE_DESCRIPTION' }),
    );
    const plugin = numa(fitMachine(XEON_8360Y, { processors: 1, memoryBytes: MEMORY }));
    expect(() => createMachine({ profile: 'intel-server', processors: 2, memory: MEMORY, plugins: [plugin] })).toThrow(
      expect.objectContaining({ code: 'MACHINE_DOES_NOT_FIT' }),
    );
  });

  it('is of no vendor', () => {
    const description = fitMachine(XEON_8360Y, { processors: 1, memoryBytes: MEMORY });
    expect(createMachine({ profile: 'amd-server', memory: MEMORY, plugins: [numa(description)] }).position).toBe(0);
  });

  it('explains a structure on the other node as slower, not wrong', () => {
    const machine = numaMachine();
    const before = machine.state;
    expect(machine.processor(0).touch(REMOTE)).toEqual({ kind: 'completed' });
    expect(costOf(before, machine.state).explanation).toBe(
      'Processor 0 (node 0): 1 read and 1 write of memory of node 1 cost 684 cycles; in memory of its own node they would ' +
        'have cost 428 (1.60 times as much here: slower, not wrong).',
    );
  });
});
