import { afterEach, expect, it, vi } from 'vitest';
import { command } from '../../src/output/next.js';

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
