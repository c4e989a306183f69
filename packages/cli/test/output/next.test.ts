import { afterEach, expect, it, vi } from 'vitest';
import { command, sameArguments } from '../../src/output/next.js';

afterEach(() => vi.unstubAllEnvs());

it('is a line for a shell', () => {
  vi.stubEnv('npm_lifecycle_event', '');
  expect(command('why', 'a.rvt', '--at', 7)).toBe('retrovisor why a.rvt --at 7');
  expect(command('who', "it's mine.rvt", 'vmcs:Guest RIP')).toBe(`retrovisor who 'it'\\''s mine.rvt' 'vmcs:Guest RIP'`);
});

it('goes through npm where the command came from there', () => {
  vi.stubEnv('npm_lifecycle_event', 'start');
  expect(command('tour')).toBe('npm run -s retrovisor -- tour');
});

it('repeats what another verb takes too', () => {
  const words = ['sum.elf', '--json', '--show-compiled', 'sum', '--show-compiled=0x1000', '--mode', 'long'];
  vi.stubGlobal('process', { ...process, argv: ['node', 'main.js', 'run', ...words] });
  expect(sameArguments()).toEqual(['sum.elf', '--mode', 'long']);
  vi.unstubAllGlobals();
});
