// What is said of generated code: that it was made, for how long it is there, and whose time it took.
import { describe, expect, it } from 'vitest';
import { collectGarbage, compilingShare, shareUnder, watchingGeneratedCode } from './code-generation.js';

const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

describe('watching generated code', () => {
  it('counts modules and their bytes, and puts the constructors back', async () => {
    const { Module } = WebAssembly;
    const code = await watchingGeneratedCode((made) => {
      const module = new WebAssembly.Module(EMPTY_MODULE);
      expect(new WebAssembly.Instance(module)).toBeInstanceOf(WebAssembly.Instance);
      expect(module).toBeInstanceOf(WebAssembly.Module);
      return made;
    });
    expect(code).toMatchObject({ modules: 1, bytes: 8 });
    expect(code.seconds).toBeGreaterThan(0);
    expect(WebAssembly.Module).toBe(Module);
  });

  it('knows what was collected', async () => {
    const code = await watchingGeneratedCode(async (made) => {
      for (let module = 0; module < 50; module++) new WebAssembly.Module(EMPTY_MODULE);
      await collectGarbage();
      return made;
    });
    expect(code.live).toBeLessThan(50);
  });
});

describe('the share of time under a function', () => {
  const node = (id: number, functionName: string, children: number[] = []) => ({
    id,
    callFrame: { functionName, scriptId: '', url: '', lineNumber: 0, columnNumber: 0 },
    children,
  });

  it('contains what it called, and nothing else', () => {
    const nodes = [node(1, '(root)', [2, 4]), node(2, 'wanted', [3]), node(3, 'called'), node(4, 'other')];
    const profile = { nodes, startTime: 0, endTime: 40, samples: [1, 2, 3, 4], timeDeltas: [10, 10, 10, 10] };
    expect(shareUnder(profile, 'wanted')).toBe(0.5);
    expect(shareUnder(profile, 'absent')).toBe(0);
  });

  it('is measured with the profiler', () => {
    class Compiler {
      run(): number {
        return this.#compile();
      }

      #compile(): number {
        return Array.from({ length: 300_000 }, (_, index) => String(index)).join('').length;
      }
    }
    expect(compilingShare(() => void new Compiler().run())).toBeGreaterThan(0.3);
  });
});
