import { describe, expect, it } from 'vitest';
import { pit } from '../../src/platform/pit.js';
import { hex, machineWith } from '../support/booted-machine.js';

describe('a machine whose timer goes off behind a mask', () => {
  it('waits, although it is run in pieces', () => {
    // mov al, 34h; out 43h, al; mov al, 2; out 40h, al; mov al, 0; out 40h, al; cli; hlt
    const machine = machineWith(hex('b0 34 e6 43 b0 02 e6 40 b0 00 e6 40 fa f4'), { plugins: [pit] });
    const stops = Array.from({ length: 100 }, () => machine.run({ maxSteps: 20 }).stop.reason);
    expect(stops[0]).toBe('budget');
    expect(stops.at(-1)).toBe('waiting');
  });
});
