import { describe, expect, it } from 'vitest';
import { shutdownPort } from '../../src/platform/shutdown-port.js';
import { machineWith } from '../support/booted-machine.js';
import { machineWithPorts, output } from '../support/port-access.js';

const PORT = 0x8900;

function written(text: string): readonly string[] {
  const machine = machineWithPorts(shutdownPort);
  const said: string[] = [];
  machine.emissions$.subscribe(({ type }) => void said.push(type));
  for (const letter of text) output(machine, PORT, letter.charCodeAt(0));
  return said;
}

describe('the shutdown port', () => {
  it.each(['Shutdown', 'SShutdown', 'ShutShutdown'])('switches the machine off for %s', (text) => {
    expect(written(text)).toEqual(['machine/powerOffRequested']);
  });

  it.each(['shutdown', 'Shut', 'Shut down', 'ShutDown'])('does nothing for %s', (text) => {
    expect(written(text)).toEqual([]);
  });

  it('ends the run, which can go on', () => {
    // mov dx, 0x8900, then mov al, letter; out dx, al for each, and hlt
    const letters = [...'Shutdown'].flatMap((letter) => [0xb0, letter.charCodeAt(0), 0xee]);
    const machine = machineWith([0x66, 0xba, 0x00, 0x89, ...letters, 0xf4], { plugins: [shutdownPort] });
    expect(machine.run()).toEqual({ steps: 17, stop: { reason: 'power-off', device: 'shutdown-port' } });
    expect(machine.run().stop).toEqual({ reason: 'waiting' });
  });
});
