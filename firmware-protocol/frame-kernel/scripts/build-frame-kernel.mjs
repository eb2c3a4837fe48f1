/** Embeds frame-kernel/assembly in frame-kernel.generated.ts. `--check` only says, by its exit code, whether that file is up to date. */
import { embedModule } from '../../tools/scripts/embed-module.mjs';

await embedModule({
  folder: 'firmware-protocol/frame-kernel',
  target: 'firmware-protocol/frame-kernel/frame-kernel.generated.ts',
  name: 'FRAME_KERNEL_BASE64',
  script: 'firmware-protocol/frame-kernel/scripts/build-frame-kernel.mjs',
});
