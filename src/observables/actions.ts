// Things to do rather than to be: asking triggers them, and nothing stays behind.
import { Type } from '@sinclair/typebox';
import { defineAction } from './define.js';
import { firmware, media } from './groups.js';

const now = Type.Boolean({ description: 'true does it; false does nothing.' });
const reboot = ['Reboot_rw'] as const;

export const restart = defineAction('restart', {
  schema: now,
  default: false,
  title: 'Restart the server',
  description: 'Stops the server in good order and starts it again.',
  read: reboot,
  write: reboot,
  consequence: 'All viewers and clients are disconnected for a few seconds.',
});

export const systemReboot = defineAction('systemReboot', {
  schema: now,
  default: false,
  title: 'Reboot the machine',
  description: 'Reboots the machine; available where the operator of the machine has configured it.',
  read: reboot,
  write: reboot,
  consequence: 'All viewers and clients are disconnected until the machine is up again.',
});

export const reset = defineAction('reset', {
  schema: now,
  default: false,
  title: 'Factory reset',
  description: 'Puts every setting, account and token back to the beginning; tag categories stay.',
  read: firmware.write,
  write: firmware.write,
  consequence: 'All settings, accounts and tokens are lost; everybody must log in anew.',
});

export const takePicture = defineAction('takePicture', {
  schema: now,
  default: false,
  title: 'Take a photo',
  description: 'Stores the current picture as a photo.',
  ...media,
  legacy: { name: 'snap' },
});
