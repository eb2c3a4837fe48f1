/** Embeds frame-kernel/assembly in frame-kernel.generated.ts: see embedModule for its options. */
import { embedModule } from '../../tools/scripts/embed-module.mjs';

await embedModule({
  folder: 'firmware-protocol/frame-kernel',
  target: 'firmware-protocol/frame-kernel/frame-kernel.generated.ts',
  name: 'FRAME_KERNEL_BASE64',
  script: 'firmware-protocol/frame-kernel/scripts/build-frame-kernel.mjs',
});
