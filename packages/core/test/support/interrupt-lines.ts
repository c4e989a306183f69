// A device that drives interrupt lines as software asks: OUT to port 2000H + line, as QEMU's device for tests has it.
import { definePlugin } from '../../src/plugin/define.js';

const FIRST = 0x2000;

export const interruptLines = definePlugin({
  name: 'interrupt-lines',
  version: '1.0.0',
  apiVersion: 1,
  ports: [
    {
      first: FIRST,
      last: FIRST + 23,
      write: (cpu, port, value) => cpu.draft.setInterruptLine(port - FIRST, value !== 0),
    },
  ],
});
