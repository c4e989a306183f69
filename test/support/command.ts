// Runs the command as a user does: in a process of its own, in a folder of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './source-tree.js';

const COMMAND = join(ROOT, 'packages/cli/dist/main.js');

/** What a process left behind. */
interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with the examples in it, and the command inside it. */
export interface Workplace {
  readonly folder: string;
  /** Runs the command with these words. */
  retrovisor(...words: readonly string[]): Finished;
  /** Runs a line for a shell; `retrovisor` in it is the command. */
  shell(line: string): Finished;
  remove(): void;
}

/** Makes a workplace, and builds first what is not up to date. Nothing is coloured, and no command knows that npm may have started the tests. */
export function workplace(): Workplace {
  const built = spawnSync(process.execPath, [join(ROOT, '.workspace/build.mjs')], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the command cannot be built:\n${built.stdout}${built.stderr}`);
  const folder = mkdtempSync(join(tmpdir(), 'retrovisor-e2e-'));
  symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'));
  const { FORCE_COLOR: _, ...inherited } = process.env;
  const env = { ...inherited, NO_COLOR: '1', npm_lifecycle_event: '', INIT_CWD: folder };
  const run = (program: string, args: readonly string[]): Finished =>
    spawnSync(program, args, { cwd: folder, env, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return {
    folder,
    retrovisor: (...words) => run(process.execPath, [COMMAND, ...words]),
    shell: (line) => run('bash', ['-c', `retrovisor() { node ${COMMAND} "$@"; }\n${line}`]),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
