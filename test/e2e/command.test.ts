// The command from outside: results on stdout and nothing else, exit statuses, JSON, and what it says to a user's mistake.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Workplace, workplace } from '../support/command.js';

const WALK = 'examples/walk/walk.ts';
const WRONG = 'examples/wrong/vmxe-clear.ts';
let place: Workplace;

beforeAll(() => {
  place = workplace();
  place.retrovisor('record', WALK, '-o', 'walk.rvt');
  place.retrovisor('record', WRONG, '-o', 'wrong.rvt');
});
afterAll(() => place.remove());

/** The JSON of a command that must end with a status. */
function json(status: number, ...words: readonly string[]) {
  const { stdout, stderr, status: found } = place.retrovisor(...words, '--json');
  expect(found, stderr).toBe(status);
  return JSON.parse(stdout);
}

describe('run and record', () => {
  it('put the console of the guest on stdout and all else on stderr', () => {
    const { status, stdout, stderr } = place.retrovisor('run', 'examples/walk/walk.bin');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'VMX operation: entered, used and left\n' });
    expect(stderr).toContain('the guest ended the run with 0 at position');
    expect(stderr).toContain('next: retrovisor record examples/walk/walk.bin -o run.rvt');
  });

  it('end with 1 when the guest fails, and say why', () => {
    const { status, stdout, stderr } = place.retrovisor('run', WRONG);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('vmxon(0x200000) → #UD (vmx.vmxon.cr4-vmxe)');
  });

  it('show the registers and the chain of faults of a processor that shut down', () => {
    writeFileSync(join(place.folder, 'crash.bin'), Uint8Array.of(0x0f, 0x0b));
    const { status, stdout, stderr } = place.retrovisor('record', 'crash.bin', '-o', 'crash.rvt');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/processor 0: shutdown, .*\n {2}RAX/);
    expect(stderr).toMatch(/executed last\n.*0x100000 {2}ud2\n/);
    expect(stderr).toMatch(/code at RIP\n {2}> {2}0x100000 {2}ud2 .*0f 0b\n/);
    expect(stderr).toMatch(/first +#UD +core\.ud\.always[\s\S]*that is +#DF\(0\)[\s\S]*then +shutdown/);
    expect(stderr).toContain('next: retrovisor why crash.rvt');
  });

  it('are one document with --json, the console in it', () => {
    const walked = json(0, 'run', 'examples/walk/walk.bin', '--smp', '2');
    expect(walked).toMatchObject({
      input: 'examples/walk/walk.bin',
      profile: 'intel-emerald-rapids',
      processors: 2,
      stop: { reason: 'exit', value: 0 },
      failure: null,
      console: 'VMX operation: entered, used and left\n',
      status: 0,
    });
    const failed = json(1, 'record', WRONG, '-o', 'again.rvt');
    expect(failed.failure.step).toMatchObject({ position: 8, text: 'vmxon(0x200000)', failed: true });
    expect(failed.trace.bytes).toBe(readFileSync(join(place.folder, 'again.rvt')).length);
  });

  it('end with the value of the guest, in the form that is asked for', () => {
    writeFileSync(join(place.folder, 'exit.bin'), Uint8Array.of(0xb0, 3, 0xe6, 0xf4, 0xf4));
    expect(place.retrovisor('run', 'exit.bin').status).toBe(1);
    const { status, stderr } = place.retrovisor('run', 'exit.bin', '--exit-code', 'qemu');
    expect(status).toBe(7);
    expect(stderr).toContain('the guest ended the run with 3 at position 2');
  });

  it('say that a guest waits, and what was written before it hung', () => {
    writeFileSync(join(place.folder, 'wait.bin'), Uint8Array.of(0xb0, 0x41, 0xe6, 0xe9, 0xfa, 0xf4));
    const waiting = place.retrovisor('run', 'wait.bin', '--serial', 'stdio');
    expect(waiting).toMatchObject({ status: 0, stdout: 'A\n' });
    expect(waiting.stderr).toMatch(/the guest waits at position 4[\s\S]*HLT +0x100006/);
    writeFileSync(join(place.folder, 'hang.bin'), Uint8Array.of(0xb0, 0x41, 0xe6, 0xe9, 0xeb, 0xfe));
    const hanging = place.retrovisor('run', 'hang.bin', '--timeout', '0.2', '--exit-code', 'qemu');
    expect(hanging).toMatchObject({ status: 4, stdout: 'A\n' });
  });

  it('trace instructions with the registers that each changed', () => {
    const { stderr } = place.retrovisor('run', 'crash.bin', '--trace-instructions', 'trace.txt');
    expect(stderr).toContain('next: retrovisor record crash.bin');
    expect(readFileSync(join(place.folder, 'trace.txt'), 'utf8')).toMatch(
      /^ +0 0 0x100000 +0f0b +ud2 +→ shutdown after #UD/,
    );
    const walked = place.retrovisor('run', 'exit.bin', '--trace-instructions', '-').stderr.split('\n');
    expect(walked[0]).toMatch(/^ +0 0 0x100000 +b003 +mov al, 3 +RAX=0x3$/);
  });

  it('show what is compiled at a symbol, and say why nothing is', () => {
    const run = (...options: readonly string[]) => place.retrovisor('run', 'examples/sum/sum.elf', ...options);
    const shown = run('--mode', 'long', '--show-compiled', 'sum', '--json');
    expect(shown.status).toBe(0);
    const { compiled } = JSON.parse(shown.stdout) as { compiled: Record<string, unknown> };
    expect(compiled).toMatchObject({ isCompiled: true, codeWidth: 64, steps: 4 });
    expect(run('--mode', 'long', '--show-compiled', 'sum').stdout).toMatch(/^function\n {2}\(func \$region/m);
    const never = run('--mode', 'long', '--show-compiled', '0x10');
    expect([never.status, never.stderr]).toEqual([2, expect.stringContaining('was executed')]);
    const off = run('--mode', 'long', '--show-compiled', 'sum', '--no-compile');
    expect([off.status, off.stderr]).toEqual([2, expect.stringContaining('must not be generated')]);
    expect(run('--show-compiled', 'add').stderr).toContain('none of that name');
  });

  it('come out the same with --no-compile, and replay too', () => {
    const record = (name: string, ...options: readonly string[]) =>
      place.retrovisor('record', 'examples/sum/sum.elf', '--mode', 'long', '-o', name, ...options);
    expect([record('fast.rvt').status, record('slow.rvt', '--no-compile').status]).toEqual([0, 0]);
    const same = place.retrovisor('diff', 'fast.rvt', 'slow.rvt');
    expect(same.status).toBe(0);
    const digests = ['fast.rvt', 'slow.rvt'].flatMap((name) =>
      [[], ['--no-compile']].map((options) => {
        const { digest } = JSON.parse(place.retrovisor('replay', name, '--json', ...options).stdout) as {
          digest: string;
        };
        return digest;
      }),
    );
    expect(new Set(digests).size).toBe(1);
  });

  it('stop in good order at a limit', () => {
    writeFileSync(join(place.folder, 'endless.bin'), Uint8Array.of(0xeb, 0xfe));
    expect(json(0, 'run', 'endless.bin', '--max-instructions', '1000').stop).toEqual({ reason: 'budget' });
    expect(json(1, 'record', 'endless.bin', '--timeout', '0.2', '-o', 'endless.rvt').stop.reason).toBe('timeout');
    expect(place.retrovisor('replay', 'endless.rvt').status).toBe(0);
  });
});

describe('traces', () => {
  it('are verified by replay and described by info', () => {
    expect(json(0, 'replay', 'walk.rvt')).toMatchObject({ positions: 15, damage: null });
    const { stdout } = place.retrovisor('info', 'walk.rvt');
    expect(stdout).toMatch(/plugins {6}vmx .*, numa/);
    expect(json(0, 'info', 'walk.rvt')).toMatchObject({ processors: 4, length: 15, boot: { mode: 'long' } });
  });

  it('list their events, as lines of JSON too', () => {
    const { stdout, status } = place.retrovisor('events', 'walk.rvt', '--from', '6', '--to', '10', '--json');
    const lines = stdout.trimEnd().split('\n');
    expect(status).toBe(0);
    expect(lines.map((line) => JSON.parse(line).position)).toEqual([6, 7, 8, 9]);
    expect(place.retrovisor('events', 'wrong.rvt', '--where', 'failed').stdout).toMatch(/^position.*\n +8 {4}0 .*#UD/);
  });

  it('show any state', () => {
    const { stdout } = place.retrovisor('show', 'wrong.rvt', '--at', '8');
    expect(stdout).toMatch(/position 8 of 9\nbefore .*\nnext .*vmxon[\s\S]*CR4 .* PAE PGE\n/);
    const vmcs = json(0, 'show', 'walk.rvt', '--at', '13', '--view', 'vmcs');
    expect(vmcs.tables[0].rows).toContainEqual(['Guest RIP', '0x681e', 'guest-state', '0x0000000000001000']);
    expect(json(0, 'show', 'walk.rvt', '--at', '4', '--processor', '1').processors).toHaveLength(1);
  });

  it('are compared at two positions and with each other', () => {
    const [difference] = json(0, 'diff', 'wrong.rvt', '5', '6').differences;
    expect(difference).toEqual({ location: 'processor/0/CR4', before: '0x2020', after: '0xa0' });
    expect(place.retrovisor('diff', 'wrong.rvt', '5', '6').stdout).toContain('+PGE -VMXE');
    expect(json(0, 'diff', 'walk.rvt', 'walk.rvt').equal).toBe(true);
    expect(json(1, 'diff', 'walk.rvt', 'wrong.rvt')).toMatchObject({ equal: false, position: 3 });
  });

  it('say why and who', () => {
    const { stdout, status } = place.retrovisor('why', 'wrong.rvt');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /SDM, "VMXON[\s\S]*processor\/0\/CR4\.VMXE {2}0x0 +position 5: movToCr4\(0xa0\)[\s\S]*next: /,
    );
    expect(json(0, 'why', 'walk.rvt').explanation).toBeNull();
    expect(json(0, 'who', 'wrong.rvt', 'CR4.VMXE')).toMatchObject({
      value: '0x0',
      earlier: '0x1',
      writer: { position: 5 },
    });
    expect(json(0, 'who', 'wrong.rvt', 'CR4.VMXE', '--before', '5').writer.position).toBe(4);
  });

  it('are forked: the rest of the trace comes out otherwise', () => {
    const forked = json(0, 'fork', 'wrong.rvt', '--at', '8', '--edit', 'CR4.VMXE=1', '-o', 'right.rvt');
    expect(forked.outcome.kind).toBe('vmx/VMsucceed');
    expect(place.retrovisor('replay', 'right.rvt').status).toBe(0);
    expect(place.retrovisor('fork', 'wrong.rvt', '--at', '8').status).toBe(1);
  });
});

describe('conform', () => {
  const nop = { id: 'nop', code: '90', in: { flags: '202' }, out: { flags: '202', rip: '20000801' } };
  const vectors = (name: string, ...lines: readonly unknown[]) => {
    mkdirSync(join(place.folder, name), { recursive: true });
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    writeFileSync(join(place.folder, name, 'some.jsonl.gz'), gzipSync(text));
  };

  it('runs vectors, shows those that fail and ends with the sum', () => {
    vectors('good', nop, nop);
    const { status, stdout } = place.retrovisor('conform', 'good');
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: 'some    1 forms      2 vectors      2 passed\n\n2 passed, 0 failed\n',
    });
    vectors('bad', nop, { ...nop, out: { flags: '203', rip: '20000801' } });
    const failed = place.retrovisor('conform', 'bad');
    expect(failed.status).toBe(1);
    expect(failed.stdout).toMatch(
      /some, line 2: nop\n[\s\S]*RFLAGS +0x202 CF=0 +0x203 CF=1[\s\S]*\n1 passed, 1 failed\n$/,
    );
    expect(json(1, 'conform', 'bad')).toMatchObject({ passed: 1, failed: 1, failures: [{ line: 2, id: 'nop' }] });
  });

  it('says which line cannot be read', () => {
    vectors('torn', nop, { ...nop, code: 'x' });
    const { status, stderr } = place.retrovisor('conform', 'torn');
    expect(status).toBe(3);
    expect(stderr).toContain('some.jsonl.gz, line 2: code is "x"; accepted is bytes in hexadecimal');
  });
});

describe('a damaged trace', () => {
  it('is told about, and shown as far as it can be read', () => {
    const bytes = readFileSync(join(place.folder, 'crash.rvt'));
    writeFileSync(join(place.folder, 'cut.rvt'), bytes.subarray(0, bytes.length - 10));
    const info = place.retrovisor('info', 'cut.rvt');
    expect(info.status).toBe(3);
    expect(info.stdout).toContain('is damaged at offset');
    const events = place.retrovisor('events', 'cut.rvt');
    expect(events.status).toBe(0);
    expect(events.stdout).toContain('ud2');
    expect(events.stderr).toContain('readable up to position 1');
    expect(place.retrovisor('replay', 'cut.rvt').status).toBe(3);
  });
});

describe("a user's mistake", () => {
  it.each([
    [2, 'unknown command', ['wy', 'wrong.rvt']],
    [2, 'missing required argument', ['info']],
    [2, 'whole number', ['show', 'walk.rvt', '--at', 'x']],
    [2, 'unknown option', ['info', 'walk.rvt', '--at', '3']],
    [2, 'NO_SUCH_POSITION', ['show', 'walk.rvt', '--at', '99']],
    [2, 'LOCATION', ['who', 'walk.rvt', 'CR4.BOGUS']],
    [2, 'UNKNOWN_FAMILY', ['conform', 'good', '--family', 'x']],
    [3, 'FILE_NOT_READABLE', ['conform', 'nowhere']],
    [2, 'SERIAL', ['run', 'crash.bin', '--serial', 'tape']],
    [3, 'FILE_NOT_WRITABLE', ['run', 'crash.bin', '--serial', 'file:no/where']],
    [2, 'WHERE', ['events', 'walk.rvt', '--where', 'speed > 3']],
    [2, 'UNKNOWN_PROFILE', ['run', WALK, '--cpu', '6502']],
    [2, 'UNKNOWN_VIEW', ['show', 'walk.rvt', '--view', 'vmcb']],
    [2, 'TRACE_FILE_UNWRITABLE', ['record', WALK, '-o', 'no/such/folder.rvt']],
    [3, 'FILE_NOT_READABLE', ['run', 'missing.ts']],
    [3, 'TRACE_FILE_UNREADABLE', ['info', 'missing.rvt']],
    [3, 'TRACE_MAGIC', ['why', 'examples/walk/walk.ts']],
  ])('ends with %i, %s, and no stack trace', (status, reason, words) => {
    const found = place.retrovisor(...words);
    expect(found.status, found.stderr).toBe(status);
    expect(found.stdout).toBe('');
    expect(found.stderr).toContain(reason);
    expect(found.stderr).not.toMatch(/^ +at /m);
  });

  it('is a document with --json', () => {
    expect(json(3, 'info', 'missing.rvt').error).toMatchObject({
      code: 'TRACE_FILE_UNREADABLE',
      details: { path: 'missing.rvt' },
    });
  });
});

describe('the streams', () => {
  it('may be closed by a reader that has seen enough', () => {
    writeFileSync(join(place.folder, 'long.bin'), Uint8Array.of(0x48, 0xff, 0xc0, 0xeb, 0xfb));
    place.retrovisor('record', 'long.bin', '--max-instructions', '50000', '-o', 'long.rvt');
    const line = 'set -o pipefail; retrovisor events long.rvt --json | head -c 10 > /dev/null; echo $?';
    const { stdout, stderr } = place.shell(line);
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });
});

describe('the tour', () => {
  it('walks, fails, explains, and leaves traces for the commands that it names', () => {
    const { status, stdout, stderr } = place.retrovisor('tour');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/vmxon\(0x200000\) +VMsucceed[\s\S]*vmx\.vmxon\.cr4-vmxe\n +SDM, "VMXON/);
    const [, named = ''] = /who changed the bit last +retrovisor (who .*)/.exec(stdout) ?? [];
    expect(place.retrovisor(...named.split(' ')).stdout).toContain('position 5');
  });
});
