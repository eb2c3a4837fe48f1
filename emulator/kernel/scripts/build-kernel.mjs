/** Embeds emulator/kernel/assembly in kernel.generated.ts: see embedModule for its options. */
import { embedModule } from '../../../firmware-protocol/tools/scripts/embed-module.mjs';

await embedModule({
  folder: 'emulator/kernel',
  target: 'emulator/kernel/kernel.generated.ts',
  name: 'KERNEL_BASE64',
  script: 'emulator/kernel/scripts/build-kernel.mjs',
});
