import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../src/machine/machine.js';
import { definePlugin } from '../../../src/plugin/define.js';
import { CODE, hex, machineWith } from '../../support/booted-machine.js';

const FLD1 = 'd9 e8';
const FNOP = 'd9 d0';
const WAIT = '9b';
const FNSTSW_AX = 'df e0';
const [MP, EM, TS, NE] = [2n, 4n, 8n, 0x20n];

/** Takes every exception before it is delivered. */
const seen = definePlugin({
  name: 'seen',
  version: '1.0.0',
  apiVersion: 1,
  intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'seen/raised' }) },
});

function machine(code: string, cr0: bigint, profile = 'intel-server'): Machine {
  const made = machineWith(hex(code), { profile, plugins: [seen] }) as unknown as Machine;
  const cpu = made.processor(0);
  cpu.set('CR0', (cpu.read('CR0') & ~(MP | EM | TS | NE)) | cr0);
  return made;
}

/** ZE is set in FSW, and FCW does not mask it. */
function withPendingException(code: string, cr0: bigint): Machine {
  const made = machine(code, cr0);
  made.processor(0).set('FCW', 0x37bn);
  made.processor(0).set('FSW', 0x8084n);
  return made;
}

describe('an unavailable x87 FPU', () => {
  it.each([
    ['an instruction with CR0.EM', FLD1, EM, 'core.x87.emulated'],
    ['an instruction with CR0.TS', FLD1, TS, 'core.x87.task-switched'],
    ['a control instruction with CR0.TS', FNSTSW_AX, TS, 'core.x87.task-switched'],
    ['WAIT with CR0.MP and CR0.TS', WAIT, MP | TS, 'core.wait.task-switched'],
  ])('raises #NM for %s', (_what, code, cr0, rule) => {
    expect(machine(code, cr0).step(0, 1)).toMatchObject({ vector: '#NM', rule });
  });

  it.each([
    ['CR0.TS alone', TS],
    ['CR0.MP alone', MP],
    ['CR0.EM', EM],
  ])('lets WAIT pass with %s', (_what, cr0) => {
    expect(machine(WAIT, cr0).step(0, 1)).toMatchObject({ kind: 'completed' });
  });
});

describe('an exception that is not masked', () => {
  it('waits for the next instruction', () => {
    const made = machine(`d9 ee ${FLD1} de f1 ${FNOP}`, NE); // 1 / 0
    made.processor(0).set('FCW', 0x37bn);
    made.processor(0).set('FTW', 0n);
    expect(made.step(0, 3)).toMatchObject({ kind: 'completed' });
    expect(made.processor(0).read('FSW') & 0x80ffn).toBe(0x8084n);
    expect(made.step(0, 1)).toMatchObject({ vector: '#MF', rule: 'core.x87.pending' });
    expect(made.processor(0).read('RIP')).toBe(BigInt(CODE + 6));
  });

  it.each([
    ['WAIT', WAIT],
    ['FLDCW', 'd9 2f'],
    ['FNOP', FNOP],
  ])('is raised by %s', (_name, code) => {
    expect(withPendingException(code, NE).step(0, 1)).toMatchObject({ vector: '#MF' });
  });

  it.each([
    ['FNSTSW', FNSTSW_AX, 0x8084n],
    ['FNCLEX', 'db e2', 0n],
    ['FNINIT', 'db e3', 0n],
  ])('is not looked at by %s', (_name, code, status) => {
    const made = withPendingException(code, NE);
    expect(made.step(0, 1)).toMatchObject({ kind: 'completed' });
    expect(made.processor(0).read('FSW')).toBe(status);
  });

  it.each([
    ['an x87 instruction', FNOP],
    ['WAIT', WAIT],
    ['an MMX instruction', '0f fc c1'],
  ])('stops %s with CR0.NE clear and drives interrupt line 13 until it is cleared', (_what, code) => {
    const lines: (readonly [number, boolean])[] = [];
    const controller = definePlugin({
      name: 'controller',
      version: '1.0.0',
      apiVersion: 1,
      interruptController: { lineChanged: (_draft, line, high) => void lines.push([line, high]) },
    });
    const made = machineWith(hex(code), { plugins: [controller] }) as unknown as Machine;
    const cpu = made.processor(0);
    cpu.set('CR0', cpu.read('CR0') & ~(MP | EM | TS | NE));
    cpu.set('FCW', 0x37bn);
    cpu.set('FSW', 0x8084n);
    expect(made.step(0, 1)).toMatchObject({ kind: 'halted' });
    expect(cpu.read('RIP')).toBe(BigInt(CODE));
    made.writeMemory(CODE, Uint8Array.from(hex('db e2'))); // FNCLEX, as the handler of the interrupt would
    cpu.set('activity', 0n);
    made.step(0, 1);
    expect(lines).toEqual([
      [13, true],
      [13, false],
    ]);
  });

  it('appears and goes with the masks that FLDCW loads', () => {
    const made = machine('d9 2f db e2', NE);
    const cpu = made.processor(0);
    cpu.set('RDI', 0x20_0000n);
    cpu.set('FCW', 0x37fn);
    cpu.set('FSW', 4n);
    made.writeMemory(0x20_0000, Uint8Array.of(0x3b, 0x03));
    made.step(0, 1);
    expect([cpu.read('FCW'), cpu.read('FSW')]).toEqual([0x37bn, 0x8084n]);
  });
});

describe('the pointers to the last instruction', () => {
  /** FADD of an SNaN in memory, first masked, then not. */
  const CODE_BYTES = 'd8 47 04';
  const after = (profile: string, fcw: bigint) => {
    const made = machine(CODE_BYTES, NE, profile);
    const cpu = made.processor(0);
    cpu.set('RDI', 0x20_0000n);
    cpu.set('FCW', fcw);
    cpu.set('FTW', 0xffn);
    made.writeMemory(0x20_0004, Uint8Array.of(1, 0, 0x80, 0x7f));
    made.step(0, 1);
    return ['FOP', 'FIP', 'FDP', 'FCS'].map((register) => cpu.read(register));
  };

  it('are all set by an exception that is not masked', () => {
    expect(after('intel-server', 0x37en)).toEqual([0x047n, BigInt(CODE), 0x20_0004n, 0n]);
  });

  it('keep opcode and operand on an Intel server when it is masked', () => {
    expect(after('intel-server', 0x37fn)).toEqual([0n, BigInt(CODE), 0n, 0n]);
  });
});
