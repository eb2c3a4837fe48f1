/** Opcode and request id of a payload in the shortest form, without decoding the rest. */
export function peek(payload: Uint8Array): { opcode?: number; requestId?: number } {
  const head = payload[0];
  // An array of up to 15 items, or of more.
  const at = head >= 0x90 && head <= 0x9f ? 1 : head === 0xdc ? 3 : undefined;
  if (at === undefined || payload[at] > 0x7f) return {};
  const opcode = payload[at];
  const type = payload[at + 1];
  if (type <= 0x7f) return { opcode, requestId: type };
  const width = { 204: 1, 205: 2, 206: 4 }[type];
  if (width === undefined) return { opcode };
  let requestId = 0;
  for (let i = 0; i < width; i++) requestId = requestId * 256 + payload[at + 2 + i];
  return { opcode, requestId };
}
