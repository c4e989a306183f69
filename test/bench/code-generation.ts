// Watches from outside how much WebAssembly is made: libraries have no clock, so the constructors are replaced for a while.
// What it takes to generate the bytes is told by the profiler of the engine, which sees the compiler's own functions.
import { type Profiler, Session } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What was made since the beginning. */
export interface GeneratedCode {
  modules: number;
  /** Of the modules. */
  bytes: number;
  /** In the constructors of modules and instances. */
  seconds: number;
  /** Modules that were not collected yet. */
  live: number;
}

/** Runs something and tells what was made meanwhile; `code` may also be looked at while it runs. */
export async function watchingGeneratedCode<Result>(
  work: (code: GeneratedCode) => Result | Promise<Result>,
): Promise<Result> {
  const { Module, Instance } = WebAssembly;
  const code: GeneratedCode = { modules: 0, bytes: 0, seconds: 0, live: 0 };
  const collected = new FinalizationRegistry(() => {
    code.live--;
  });
  const timed = <Made>(make: () => Made): Made => {
    const start = process.hrtime.bigint();
    const made = make();
    code.seconds += Number(process.hrtime.bigint() - start) / 1e9;
    return made;
  };
  WebAssembly.Module = new Proxy(Module, {
    construct: (target, [bytes]: [BufferSource]) => {
      const made = timed(() => new target(bytes));
      code.modules++;
      code.live++;
      code.bytes += bytes.byteLength;
      collected.register(made, undefined);
      return made;
    },
  });
  WebAssembly.Instance = new Proxy(Instance, {
    construct: (target, given: ConstructorParameters<typeof Instance>) => timed(() => new target(...given)),
  });
  try {
    return await work(code);
  } finally {
    Object.assign(WebAssembly, { Module, Instance });
  }
}

/** Collects what can be collected; what was registered to be told of it is told when the event loop turns. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 3; time++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The function of the compiler (packages/core/src/compile/compiler.ts) that forms, emits and instantiates a region. */
const COMPILING = '#compile';

/** The part of the time of something that went to the compiler, 0 to 1. */
export function compilingShare(work: () => void): number {
  const session = new Session();
  session.connect();
  let profile: Profiler.Profile | undefined;
  try {
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: 200 });
    session.post('Profiler.start');
    work();
    session.post('Profiler.stop', (_error, stopped) => {
      profile = stopped?.profile;
    });
  } finally {
    session.disconnect();
  }
  return profile === undefined ? Number.NaN : shareUnder(profile, COMPILING);
}

/** The part of the samples that were taken in functions of a name or in what they called. */
export function shareUnder({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, name: string): number {
  const below = new Set<number>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, inside: boolean): void => {
    const node = byId.get(id);
    const isInside = inside || node?.callFrame.functionName === name;
    if (isInside) below.add(id);
    for (const child of node?.children ?? []) visit(child, isInside);
  };
  const [root] = nodes;
  if (root !== undefined) visit(root.id, false);
  let [inside, all] = [0, 0];
  for (const [index, id] of samples.entries()) {
    const time = timeDeltas[index] ?? 0;
    all += time;
    if (below.has(id)) inside += time;
  }
  return all === 0 ? 0 : inside / all;
}
