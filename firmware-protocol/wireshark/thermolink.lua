-- Dissector of the thermolink protocol for Wireshark and tshark (docs/reference/protocol.md).
--
--   tshark -X lua_script:thermolink.lua -r session.pcapng
--
-- Wireshark loads it from its folder of personal plugins (Help, About Wireshark, Folders). It reads
--   * files that `thermolink trace export --pcapng` writes: link type USER0, one frame an entry,
--     outbound is host to board;
--   * TCP, when told by Decode As which port is the board's: tshark -d tcp.port==7000,thermolink
-- It judges a frame as a receiver does: the same kinds of faults, the same reasons for a rejected message.
-- Every field of a message can be filtered: thermolink.start.runSeed == 7, thermolink.start.answer.runId == 1

-- The tables are written by `npm run generate` from the message tables. Do not edit them.
-- generated: tables
local PROTOCOL = {major = 1, minor = 1, hash = '0f99d51387c1bc95'}
local LIMIT = {
  frame_version = 1, flag_nak = 1,
  header_bytes = 8, crc_bytes = 4,
  frame_bytes = 65536, wire_bytes = 65796,
  array_items = 40, array_depth = 2, text_bytes = 256,
}
local CHANNEL = {[0] = 'open', [1] = 'command', [2] = 'sample', [3] = 'stop'}
local TO_DEVICE = {
  [0] = {name = 'hello', kind = 'command', path = 'hello', channel = 0, fields = {
    {name = 'nonce', type = 'bytes', min = 8, max = 8, doc = 'chosen by the host, not all zero; names the session'},
    {name = 'major', type = 'integer', min = 0, max = 65535, unit = '1', doc = 'major version the host speaks'},
    {name = 'minor', type = 'integer', min = 0, max = 65535, unit = '1', doc = 'highest minor version the host speaks'},
    {name = 'tableHash', type = 'bytes', min = 8, max = 8, doc = 'hash of that minor’s message tables'},
    {name = 'frameBytes', type = 'integer', min = 256, max = 65536, unit = 'byte', doc = 'longest frame the host takes'},
    {name = 'window', type = 'integer', min = 1, max = 1024, unit = 'frame', doc = 'command frames the host takes unacknowledged'},
    {name = 'purpose', type = 'choice', choices = {[0] = 'open', [1] = 'resume'}, absent = 0, doc = 'open (the default): the nonce opens a session, unless it names the open one; resume: it opens no session, and only asks whether the named session is open'},
  }},
  [1] = {name = 'ping', kind = 'command', path = 'ping', channel = 1, fields = {
    {name = 'token', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'returned unchanged'},
  }},
  [2] = {name = 'readStatus', kind = 'command', path = 'readStatus', channel = 1, fields = {
  }},
  [3] = {name = 'readCounters', kind = 'command', path = 'readCounters', channel = 1, fields = {
  }},
  [4] = {name = 'acknowledge', kind = 'command', path = 'acknowledge', channel = 1, fields = {
  }},
  [5] = {name = 'reset', kind = 'command', path = 'reset', channel = 1, fields = {
  }},
  [6] = {name = 'stop', kind = 'command', path = 'stop', channel = 3, fields = {
    {name = 'nonce', type = 'bytes', min = 8, max = 8, doc = 'chosen by the host, not all zero; names the session'},
    {name = 'stopNumber', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'grows with every stop of a session'},
    {name = 'lastRequestId', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'last request the host has issued'},
  }},
  [9] = {name = 'identify', kind = 'command', path = 'identify', channel = 1, fields = {
    {name = 'durationMs', type = 'integer', min = 0, max = 60000, unit = 'ms', doc = 'from now on; replaces the rest of an earlier time'},
  }},
  [10] = {name = 'readSensors', kind = 'command', path = 'readSensors', channel = 1, fields = {
  }},
  [16] = {name = 'defineProgram', kind = 'command', path = 'defineProgram', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'mode', type = 'choice', choices = {[0] = 'dense', [1] = 'factored'}, doc = 'dense: A is the array; factored: A = KᵀK + λI'},
    {name = 'cells', type = 'integer', min = 1, max = 8192, unit = 'cell', doc = 'N'},
    {name = 'rows', type = 'integer', min = 1, max = 8192, unit = 'row', doc = 'N in dense mode, m (at most 4096) in factored'},
    {name = 'couplingBits', type = 'integer', min = 4, max = 16, unit = 'bit', doc = 'b; left-aligned on the board'},
    {name = 'rowAttenuation', type = 'integer', min = 0, max = 12, unit = '1', doc = 'ρ; 0 in dense mode'},
    {name = 'linearRows', type = 'integer', min = 0, max = 65535, unit = 'row', absent = 65535, doc = 'number of rows without the row element, which come first; more than `rows`, or left out: no row element (left out means 65535)'},
  }},
  [17] = {name = 'writeCouplings', kind = 'command', path = 'writeCouplings', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'firstEntry', type = 'integer', min = 0, max = 67108863, unit = 'entry', doc = 'row · N + column'},
    {name = 'codes', type = 'bytes', min = 0, max = 65536, doc = 'consecutive codes'},
  }},
  [18] = {name = 'writeDrive', kind = 'command', path = 'writeDrive', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'firstCell', type = 'integer', min = 0, max = 8191, unit = 'cell', doc = 'first cell'},
    {name = 'codes', type = 'bytes', min = 0, max = 65536, doc = 'consecutive codes'},
  }},
  [19] = {name = 'writeInitialState', kind = 'command', path = 'writeInitialState', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'firstCell', type = 'integer', min = 0, max = 8191, unit = 'cell', doc = 'first cell'},
    {name = 'codes', type = 'bytes', min = 0, max = 65536, doc = 'consecutive codes'},
  }},
  [20] = {name = 'setRegisters', kind = 'command', path = 'setRegisters', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'damping', type = 'integer', min = 0, max = 4294967295, unit = '2⁻¹⁵ G_fs', doc = 'λ'},
    {name = 'noiseAmplitude', type = 'integer', min = 0, max = 24575, unit = '2^(13−s)·2⁻²⁴ V_fs', doc = 'a; 0 switches noise off'},
    {name = 'noiseShift', type = 'integer', min = 8, max = 24, unit = '1', doc = 's'},
  }},
  [21] = {name = 'commit', kind = 'command', path = 'commit', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'crc32', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'ISO-HDLC'},
    {name = 'crc32c', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'Castagnoli'},
  }},
  [22] = {name = 'readProgram', kind = 'command', path = 'readProgram', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'section', type = 'choice', choices = {[0] = 'couplings', [1] = 'drive', [2] = 'initialState', [3] = 'rowTable', [4] = 'rowDrive'}, doc = 'which codes'},
    {name = 'firstEntry', type = 'integer', min = 0, max = 67108863, unit = 'entry', doc = 'first code'},
    {name = 'count', type = 'integer', min = 1, max = 65536, unit = '1', doc = 'how many'},
  }},
  [23] = {name = 'writeRowTable', kind = 'command', path = 'writeRowTable', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'firstNode', type = 'integer', min = 0, max = 160, unit = 'node', doc = 'first node'},
    {name = 'codes', type = 'bytes', min = 0, max = 65536, doc = 'consecutive codes'},
  }},
  [24] = {name = 'writeRowDrive', kind = 'command', path = 'writeRowDrive', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'which program'},
    {name = 'firstRow', type = 'integer', min = 0, max = 4095, unit = 'row', doc = 'first row'},
    {name = 'codes', type = 'bytes', min = 0, max = 65536, doc = 'consecutive codes'},
  }},
  [32] = {name = 'start', kind = 'command', path = 'start', channel = 1, fields = {
    {name = 'bank', type = 'integer', min = 0, max = 1, unit = '1', doc = 'a committed program'},
    {name = 'runSeed', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'names the noise, together with die seed, tick and cell'},
    {name = 'firstTick', type = 'integer', min = 0, max = 9007199254740991, unit = 'tick', doc = 'number of the first tick'},
    {name = 'startState', type = 'choice', choices = {[0] = 'load', [1] = 'keep'}, doc = 'load: the program’s initial state; keep: as the last run left it'},
    {name = 'burnInTicks', type = 'integer', min = 0, max = 9007199254740991, unit = 'tick', doc = 'ticks before the first sample'},
    {name = 'sampleCount', type = 'integer', min = 0, max = 4294967295, unit = 'sample', doc = 'readings of all cells'},
    {name = 'ticksPerSample', type = 'integer', min = 0, max = 4294967295, unit = 'tick', doc = 'between two samples'},
    {name = 'blockSamples', type = 'integer', min = 0, max = 4294967295, unit = 'sample', doc = 'samples a block holds at most; 0: as many as fit a frame'},
    {name = 'onNoCredit', type = 'choice', choices = {[0] = 'hold', [1] = 'lose'}, doc = 'hold: no tick passes until there is credit; lose: counted and skipped'},
    {name = 'onOverload', type = 'choice', choices = {[0] = 'halt', [1] = 'mark'}, doc = 'halt after exactly that tick, or go on and mark the blocks'},
    {name = 'watchdogMs', type = 'integer', min = 100, max = 60000, unit = 'ms', doc = 'silence of the host after which the run ends in safe'},
    {name = 'creditBlocks', type = 'integer', min = 0, max = 4294967295, unit = 'block', doc = 'credit at the start'},
    {name = 'keepBlocks', type = 'integer', min = 0, max = 64, unit = 'block', doc = 'sent blocks kept for `resend`; blocks numbered released + keepBlocks or higher are not sent. 0: none is kept'},
    {name = 'statistics', type = 'choice', choices = {[0] = 'samples', [1] = 'means', [2] = 'secondMoments'}, absent = 0, doc = 'samples (the default): they are sent in blocks; means: they are only added up, in batches and as squares; secondMoments: also as products of all pairs of cells'},
    {name = 'batchSamples', type = 'integer', min = 0, max = 65535, unit = 'sample', absent = 0, doc = 'samples of a batch, if samples are added up; 0 (the default) if they are not'},
  }},
  [33] = {name = 'abort', kind = 'command', path = 'abort', channel = 1, fields = {
    {name = 'runId', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'which run'},
  }},
  [48] = {name = 'credit', kind = 'event', path = 'credit', channel = 2, fields = {
    {name = 'runId', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'which run'},
    {name = 'blocks', type = 'integer', min = 0, max = 4294967295, unit = 'block', doc = 'total since the run began'},
    {name = 'released', type = 'integer', min = 0, max = 4294967295, unit = 'block', doc = 'the host has all blocks below this number, or will not ask for them'},
  }},
  [50] = {name = 'resend', kind = 'event', path = 'resend', channel = 2, fields = {
    {name = 'runId', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'which run'},
    {name = 'firstBlock', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'number of the first block'},
    {name = 'count', type = 'integer', min = 1, max = 64, unit = 'block', doc = 'consecutive blocks'},
  }},
  [52] = {name = 'readAverages', kind = 'command', path = 'readAverages', channel = 1, fields = {
    {name = 'runId', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'which run'},
    {name = 'part', type = 'choice', choices = {[0] = 'batchSums', [1] = 'products'}, doc = 'which sums'},
    {name = 'firstEntry', type = 'integer', min = 0, max = 262143, unit = 'entry', doc = 'first sum'},
    {name = 'count', type = 'integer', min = 1, max = 65536, unit = '1', doc = 'how many'},
  }},
  [64] = {name = 'readCalibration', kind = 'command', path = 'readCalibration', channel = 1, fields = {
    {name = 'firstByte', type = 'integer', min = 0, max = 1048576, unit = 'byte', doc = 'first byte'},
    {name = 'count', type = 'integer', min = 0, max = 65536, unit = 'byte', doc = 'how many bytes; fewer come at the end of the record'},
  }},
  [65] = {name = 'writeCalibration', kind = 'command', path = 'writeCalibration', channel = 1, fields = {
    {name = 'firstByte', type = 'integer', min = 0, max = 1048576, unit = 'byte', doc = 'first byte'},
    {name = 'record', type = 'bytes', min = 0, max = 65536, doc = 'consecutive bytes'},
  }},
  [66] = {name = 'keepCalibration', kind = 'command', path = 'keepCalibration', channel = 1, fields = {
    {name = 'length', type = 'integer', min = 0, max = 1048576, unit = 'byte', doc = 'length of the whole record; 0 erases it'},
    {name = 'crc32', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'ISO-HDLC over the whole record'},
  }},
}
local TO_HOST = {
  [0] = {name = 'hello', kind = 'command', path = 'hello.answer', channel = 0, fields = {
    {name = 'nonce', type = 'bytes', min = 8, max = 8, doc = 'chosen by the host, not all zero; names the session'},
    {name = 'major', type = 'integer', min = 0, max = 65535, unit = '1', doc = 'major version the device speaks'},
    {name = 'minor', type = 'integer', min = 0, max = 65535, unit = '1', doc = 'highest minor version the device speaks'},
    {name = 'tableHash', type = 'bytes', min = 8, max = 8, doc = 'hash of that minor’s message tables'},
    {name = 'frameBytes', type = 'integer', min = 256, max = 65536, unit = 'byte', doc = 'longest frame the device takes'},
    {name = 'window', type = 'integer', min = 1, max = 1024, unit = 'frame', doc = 'command frames the device takes unacknowledged'},
    {name = 'resumed', type = 'integer', min = 0, max = 1, unit = '1', doc = '1 when this session was already open with this nonce'},
    {name = 'model', type = 'text', max = 24, doc = 'board type'},
    {name = 'serialNumber', type = 'text', max = 24, doc = 'serial number of this board among those of its type'},
    {name = 'firmwareVersion', type = 'text', max = 24, doc = 'for people'},
    {name = 'bootEpoch', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'grows at every reset'},
    {name = 'cells', type = 'integer', min = 1, max = 8192, unit = 'cell', doc = 'N'},
    {name = 'rows', type = 'integer', min = 0, max = 4096, unit = 'row', doc = 'rows of the factored coupling array, 0 without one'},
    {name = 'banks', type = 'integer', min = 1, max = 2, unit = 'bank', doc = 'programs held'},
    {name = 'couplingBits', type = 'integer', min = 4, max = 16, unit = 'bit', doc = 'width of a coupling DAC'},
    {name = 'driveBits', type = 'integer', min = 8, max = 16, unit = 'bit', doc = 'width of a drive DAC'},
    {name = 'adcBits', type = 'integer', min = 8, max = 16, unit = 'bit', doc = 'width of the ADC, over ±2 V_fs'},
    {name = 'tauNs', type = 'integer', min = 1, max = 4294967295, unit = 'ns', doc = 'τ = RC'},
    {name = 'tickLog2', type = 'integer', min = 2, max = 8, unit = '1', doc = 'k: one tick is 2⁻ᵏ τ'},
    {name = 'fullScaleMicrovolts', type = 'integer', min = 1, max = 4294967295, unit = 'µV', doc = 'V_fs'},
    {name = 'rail', type = 'integer', min = 1024, max = 20971520, unit = '2⁻²⁴ V_fs', doc = 'where a cell saturates'},
    {name = 'driveRange', type = 'integer', min = 1, max = 4, unit = 'V_fs·G_fs', doc = 'a full drive code'},
    {name = 'noiseShiftMin', type = 'integer', min = 8, max = 24, unit = '1', doc = 'smallest noise register s'},
    {name = 'noiseShiftMax', type = 'integer', min = 8, max = 24, unit = '1', doc = 'largest noise register s'},
    {name = 'noiseTemperatureMin', type = 'integer', min = 0, max = 4294967295, unit = '10⁻¹² V_fs²', doc = 'smallest κ for which a standard error has a meaning'},
    {name = 'rowScaleMax', type = 'integer', min = 1, max = 8192, unit = 'row', doc = 'largest m · 2^ρ that a commit takes'},
    {name = 'inFlightBytes', type = 'integer', min = 256, max = 4294967295, unit = 'byte', doc = 'unacknowledged bytes the device can hold'},
    {name = 'answerCache', type = 'integer', min = 1, max = 32, unit = '1', doc = 'answers kept for repeated requests'},
    {name = 'features', type = 'integer', min = 0, max = 127, unit = '1', bits = {[1] = 'dense', [2] = 'factored', [4] = 'hold', [8] = 'rowElement', [16] = 'averages', [32] = 'knownCovariance', [64] = 'identify'}, doc = 'sum of dense 1, factored 2, hold 4, since minor 1 also rowElement 8, averages 16, knownCovariance 32, identify 64; to a host of minor 0 at most 7'},
    {name = 'keepBlocksMax', type = 'integer', min = 0, max = 64, unit = 'block', doc = 'largest `keepBlocks` of `start`; 0: the device keeps none'},
    {name = 'momentCellsMax', type = 'integer', min = 0, max = 256, unit = 'cell', absent = 0, doc = 'most cells of a program whose second moments the device adds up; 0 (the default): it adds up none'},
    {name = 'calibrationBytesMax', type = 'integer', min = 0, max = 1048576, unit = 'byte', absent = 0, doc = 'longest calibration record that the board keeps; 0 (the default): it keeps none'},
  }},
  [1] = {name = 'ping', kind = 'command', path = 'ping.answer', channel = 1, fields = {
    {name = 'token', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'as sent'},
    {name = 'deviceTimeUs', type = 'integer', min = 0, max = 9007199254740991, unit = 'µs', doc = 'device clock'},
  }},
  [2] = {name = 'readStatus', kind = 'command', path = 'readStatus.answer', channel = 1, fields = {
    {name = 'state', type = 'choice', choices = {[0] = 'boot', [1] = 'safe', [2] = 'idle', [3] = 'configured', [4] = 'running', [5] = 'done', [6] = 'halted', [7] = 'fault'}, doc = 'state of the board'},
    {name = 'fault', type = 'choice', choices = {[0] = 'none', [1] = 'selfTest', [2] = 'internal'}, doc = 'the latched fault'},
    {name = 'nonce', type = 'bytes', min = 8, max = 8, doc = 'chosen by the host, not all zero; names the session'},
    {name = 'bootEpoch', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'grows at every reset'},
    {name = 'runId', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'current or last run of this session, 0 without one'},
    {name = 'tick', type = 'integer', min = 0, max = 9007199254740991, unit = 'tick', doc = 'of the cell array'},
    {name = 'stopNumber', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'last stop that took effect in this session'},
    {name = 'committedBanks', type = 'integer', min = 0, max = 3, unit = '1', doc = 'bit b is set when bank b holds a committed program'},
    {name = 'stateDigest', type = 'bytes', min = 4, max = 4, doc = 'CRC-32 of the cell array’s state (device-model.md)'},
  }},
  [3] = {name = 'readCounters', kind = 'command', path = 'readCounters.answer', channel = 1, fields = {
    {name = 'framesReceived', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', doc = 'good frames'},
    {name = 'framesSent', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', doc = 'retransmissions included'},
    {name = 'framesFaulty', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', doc = 'rejected: COBS, CRC, length, header'},
    {name = 'framesForeign', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', doc = 'frames of another session, dropped'},
    {name = 'framesDuplicate', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', doc = 'command frames received again'},
    {name = 'framesOutOfOrder', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', doc = 'command frames after a gap, dropped'},
    {name = 'retransmissions', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', doc = 'command frames sent again'},
    {name = 'messagesRejected', type = 'integer', min = 0, max = 9007199254740991, unit = 'message', doc = 'payloads outside this protocol'},
    {name = 'samplesLost', type = 'integer', min = 0, max = 9007199254740991, unit = 'sample', doc = 'skipped without credit'},
    {name = 'watchdogTrips', type = 'integer', min = 0, max = 9007199254740991, unit = '1', doc = 'runs ended by silence'},
    {name = 'naksReceived', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', absent = 0, doc = 'frames with a nak that was believed'},
    {name = 'naksSent', type = 'integer', min = 0, max = 9007199254740991, unit = 'frame', absent = 0, doc = 'frames sent with a nak'},
  }},
  [4] = {name = 'acknowledge', kind = 'command', path = 'acknowledge.answer', channel = 1, fields = {
    {name = 'state', type = 'choice', choices = {[0] = 'boot', [1] = 'safe', [2] = 'idle', [3] = 'configured', [4] = 'running', [5] = 'done', [6] = 'halted', [7] = 'fault'}, doc = 'the state after it'},
  }},
  [5] = {name = 'reset', kind = 'command', path = 'reset.answer', channel = 1, fields = {
  }},
  [6] = {name = 'stop', kind = 'command', path = 'stop.answer', channel = 3, fields = {
    {name = 'stopNumber', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'as sent'},
    {name = 'state', type = 'choice', choices = {[0] = 'boot', [1] = 'safe', [2] = 'idle', [3] = 'configured', [4] = 'running', [5] = 'done', [6] = 'halted', [7] = 'fault'}, doc = 'the state after it'},
  }},
  [7] = {name = 'refusal', kind = 'event', path = 'refusal', channel = 1, fields = {
    {name = 'reason', type = 'choice', choices = {[0] = 'cancelled', [1] = 'unknownCommand', [2] = 'badMessage', [3] = 'wrongState', [4] = 'outOfRange', [5] = 'bankBusy', [6] = 'digestMismatch', [7] = 'notCommitted', [8] = 'unsupported', [9] = 'busy', [10] = 'version', [11] = 'stale'}, doc = 'why'},
    {name = 'opcode', type = 'integer', min = 0, max = 127, unit = '1', doc = 'of the command'},
    {name = 'state', type = 'choice', choices = {[0] = 'boot', [1] = 'safe', [2] = 'idle', [3] = 'configured', [4] = 'running', [5] = 'done', [6] = 'halted', [7] = 'fault'}, doc = 'of the board'},
    {name = 'detail', type = 'text', max = 96, doc = 'for people'},
  }},
  [8] = {name = 'helloRefused', kind = 'event', path = 'helloRefused', channel = 0, fields = {
    {name = 'nonce', type = 'bytes', min = 8, max = 8, doc = 'chosen by the host, not all zero; names the session'},
    {name = 'reason', type = 'choice', choices = {[0] = 'cancelled', [1] = 'unknownCommand', [2] = 'badMessage', [3] = 'wrongState', [4] = 'outOfRange', [5] = 'bankBusy', [6] = 'digestMismatch', [7] = 'notCommitted', [8] = 'unsupported', [9] = 'busy', [10] = 'version', [11] = 'stale'}, doc = 'version, stale (choose another nonce), busy (another client has the board), or unsupported'},
    {name = 'major', type = 'integer', min = 0, max = 65535, unit = '1', doc = 'major version the device speaks'},
    {name = 'minor', type = 'integer', min = 0, max = 65535, unit = '1', doc = 'highest minor version the device speaks'},
    {name = 'tableHash', type = 'bytes', min = 8, max = 8, doc = 'hash of that minor’s message tables'},
  }},
  [9] = {name = 'identify', kind = 'command', path = 'identify.answer', channel = 1, fields = {
  }},
  [10] = {name = 'readSensors', kind = 'command', path = 'readSensors.answer', channel = 1, fields = {
    {name = 'dieTemperatureMillikelvin', type = 'integer', min = 0, max = 1000000, unit = 'mK', doc = 'temperature of the die or of a place next to it; 0: the board has no such sensor'},
    {name = 'supplyMillivolts', type = 'integer', min = 0, max = 1000000, unit = 'mV', doc = 'voltage of its supply; 0: the board has no such sensor'},
  }},
  [16] = {name = 'defineProgram', kind = 'command', path = 'defineProgram.answer', channel = 1, fields = {
  }},
  [17] = {name = 'writeCouplings', kind = 'command', path = 'writeCouplings.answer', channel = 1, fields = {
  }},
  [18] = {name = 'writeDrive', kind = 'command', path = 'writeDrive.answer', channel = 1, fields = {
  }},
  [19] = {name = 'writeInitialState', kind = 'command', path = 'writeInitialState.answer', channel = 1, fields = {
  }},
  [20] = {name = 'setRegisters', kind = 'command', path = 'setRegisters.answer', channel = 1, fields = {
  }},
  [21] = {name = 'commit', kind = 'command', path = 'commit.answer', channel = 1, fields = {
    {name = 'clampedCouplings', type = 'integer', min = 0, max = 9007199254740991, unit = '1', doc = 'effective coupling codes that were clamped'},
    {name = 'clampedNoiseCodes', type = 'integer', min = 0, max = 8192, unit = '1', doc = 'effective noise codes that were clamped'},
    {name = 'noiseCodeMin', type = 'integer', min = 0, max = 32767, unit = '1', doc = 'smallest effective a_i'},
    {name = 'noiseCodeMax', type = 'integer', min = 0, max = 32767, unit = '1', doc = 'largest effective a_i'},
    {name = 'carryVariance', type = 'integer', min = 0, max = 9007199254740991, unit = '2⁻⁴⁸ V_fs²', doc = 'carry noise floor: s₀ in dense mode, s₀·4^ρ in factored'},
  }},
  [22] = {name = 'readProgram', kind = 'command', path = 'readProgram.answer', channel = 1, fields = {
    {name = 'codes', type = 'bytes', min = 0, max = 65536, doc = 'consecutive codes'},
  }},
  [23] = {name = 'writeRowTable', kind = 'command', path = 'writeRowTable.answer', channel = 1, fields = {
  }},
  [24] = {name = 'writeRowDrive', kind = 'command', path = 'writeRowDrive.answer', channel = 1, fields = {
  }},
  [32] = {name = 'start', kind = 'command', path = 'start.answer', channel = 1, fields = {
    {name = 'runId', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'never used again in this session'},
  }},
  [33] = {name = 'abort', kind = 'command', path = 'abort.answer', channel = 1, fields = {
  }},
  [34] = {name = 'runEnded', kind = 'event', path = 'runEnded', channel = 1, fields = {
    {name = 'runId', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'which run'},
    {name = 'outcome', type = 'choice', choices = {[0] = 'completed', [1] = 'overload', [2] = 'aborted', [3] = 'stopped', [4] = 'watchdog', [5] = 'fault'}, doc = 'how'},
    {name = 'ticksDone', type = 'integer', min = 0, max = 9007199254740991, unit = 'tick', doc = 'of this run'},
    {name = 'samplesTaken', type = 'integer', min = 0, max = 4294967295, unit = 'sample', doc = 'read from the ADC, including lost ones'},
    {name = 'samplesLost', type = 'integer', min = 0, max = 4294967295, unit = 'sample', doc = 'skipped without credit'},
    {name = 'blocksSent', type = 'integer', min = 0, max = 4294967295, unit = 'block', doc = 'sample blocks handed to the link'},
    {name = 'overloadedCellCount', type = 'integer', min = 0, max = 8192, unit = 'cell', doc = 'number of cells that passed their rail'},
    {name = 'overloadedCells', type = 'bytes', min = 0, max = 64, doc = 'u16 indices of the first of them'},
    {name = 'overloadedRowCount', type = 'integer', min = 0, max = 4096, unit = 'row', doc = 'number of row amplifiers that passed their limit'},
    {name = 'overloadedRows', type = 'bytes', min = 0, max = 64, doc = 'u16 indices of the first of them'},
  }},
  [49] = {name = 'sampleBlock', kind = 'event', path = 'sampleBlock', channel = 2, fields = {
    {name = 'runId', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'which run'},
    {name = 'block', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'number of the block in the run'},
    {name = 'firstSample', type = 'integer', min = 0, max = 4294967295, unit = 'sample', doc = 'index of the first sample'},
    {name = 'tick', type = 'integer', min = 0, max = 9007199254740991, unit = 'tick', doc = 'tick at which the first sample was read'},
    {name = 'firstCell', type = 'integer', min = 0, max = 8191, unit = 'cell', doc = 'first cell'},
    {name = 'cellCount', type = 'integer', min = 1, max = 8192, unit = 'cell', doc = 'cells'},
    {name = 'sampleCount', type = 'integer', min = 1, max = 4294967295, unit = 'sample', doc = 'samples'},
    {name = 'flags', type = 'integer', min = 0, max = 7, unit = '1', bits = {[1] = 'overload', [2] = 'clip', [4] = 'gap'}, doc = 'sum of overload 1, clip 2, gap before it 4'},
    {name = 'codes', type = 'bytes', min = 2, max = 65536, doc = 'the codes'},
  }},
  [51] = {name = 'blocksSent', kind = 'event', path = 'blocksSent', channel = 2, fields = {
    {name = 'runId', type = 'integer', min = 1, max = 4294967295, unit = '1', doc = 'which run'},
    {name = 'blocks', type = 'integer', min = 0, max = 4294967295, unit = 'block', doc = 'sent since the run began'},
  }},
  [52] = {name = 'readAverages', kind = 'command', path = 'readAverages.answer', channel = 1, fields = {
    {name = 'samples', type = 'integer', min = 0, max = 4294967295, unit = 'sample', doc = 'added up'},
    {name = 'flags', type = 'integer', min = 0, max = 3, unit = '1', doc = 'flags of any of these samples: sum of overload 1, clip 2'},
    {name = 'sums', type = 'bytes', min = 4, max = 65536, doc = 'consecutive sums'},
  }},
  [64] = {name = 'readCalibration', kind = 'command', path = 'readCalibration.answer', channel = 1, fields = {
    {name = 'length', type = 'integer', min = 0, max = 1048576, unit = 'byte', doc = 'length of the whole record; 0: the board has none'},
    {name = 'crc32', type = 'integer', min = 0, max = 4294967295, unit = '1', doc = 'ISO-HDLC over the whole record'},
    {name = 'record', type = 'bytes', min = 0, max = 65536, doc = 'consecutive bytes'},
  }},
  [65] = {name = 'writeCalibration', kind = 'command', path = 'writeCalibration.answer', channel = 1, fields = {
  }},
  [66] = {name = 'keepCalibration', kind = 'command', path = 'keepCalibration.answer', channel = 1, fields = {
  }},
}
-- end of tables

local thermolink = Proto('thermolink', 'Thermolink')
local PATH = 'thermolink.'

thermolink.prefs.codes = Pref.uint('Codes shown', 64, 'How many codes of a bulk field are shown one by one')

-- How the bytes of each long field are read: as i16, as u16, or as an earlier message has told.
local BULK = {
  ['writeCouplings.codes'] = 'couplings',
  ['writeDrive.codes'] = 'i16',
  ['writeInitialState.codes'] = 'i16',
  ['writeRowTable.codes'] = 'i16',
  ['writeRowDrive.codes'] = 'i16',
  ['readProgram.answer.codes'] = 'section',
  ['runEnded.overloadedCells'] = 'u16',
  ['runEnded.overloadedRows'] = 'u16',
  ['sampleBlock.codes'] = 'i16',
  ['readAverages.answer.sums'] = 'sums',
  -- Bytes that have a meaning only for hosts.
  ['readCalibration.answer.record'] = 'opaque',
  ['writeCalibration.record'] = 'opaque',
}
-- Longer fields of bytes need an entry in BULK.
local NAME_BYTES_MAX = 8
-- Codes of so many bits or fewer travel as one byte each (protocol.md, "Programs").
local BYTE_CODE_BITS = 8

-- Fields ----------------------------------------------------------------------------------------------------

local F = {
  direction = ProtoField.string(PATH .. 'direction', 'direction'),
  fault = ProtoField.string(PATH .. 'fault', 'fault', base.ASCII, 'why these bytes are no frame'),
  version = ProtoField.uint8(PATH .. 'version', 'version'),
  channel = ProtoField.uint8(PATH .. 'channel', 'channel', base.DEC, CHANNEL),
  session = ProtoField.uint8(PATH .. 'session', 'session', base.HEX, nil, nil, 'first byte of the nonce'),
  flags = ProtoField.uint8(PATH .. 'flags', 'flags', base.HEX),
  nak = ProtoField.bool(PATH .. 'flags.nak', 'nak', 8, nil, LIMIT.flag_nak, 'send everything after ack again'),
  seq = ProtoField.uint16(PATH .. 'seq', 'seq', base.DEC, nil, nil, 'number of this frame in its channel'),
  ack = ProtoField.uint16(PATH .. 'ack', 'ack', base.DEC, nil, nil, 'last command frame received in order'),
  crc = ProtoField.uint32(PATH .. 'crc', 'CRC-32', base.HEX),
  payload = ProtoField.uint32(PATH .. 'payloadBytes', 'payload', base.DEC, nil, nil, 'its length in bytes'),
  message = ProtoField.string(PATH .. 'message', 'message', base.ASCII, 'name of the message'),
  opcode = ProtoField.uint8(PATH .. 'opcode', 'opcode'),
  request_id = ProtoField.uint32(PATH .. 'requestId', 'request id'),
  rejected = ProtoField.string(PATH .. 'rejected', 'rejected', base.ASCII, 'why this is no message'),
  code = ProtoField.int32(PATH .. 'code', 'code'),
  delivered = ProtoField.bool(PATH .. 'delivered', 'delivered', base.NONE, nil, nil,
    'whether the receiver is handed the message: it is new and in order'),
  retransmission = ProtoField.bool(PATH .. 'retransmission', 'retransmission', base.NONE, nil, nil,
    'a command frame that has passed before'),
  out_of_order = ProtoField.bool(PATH .. 'outOfOrder', 'out of order', base.NONE, nil, nil,
    'a command frame behind a gap, which its receiver drops'),
  foreign = ProtoField.bool(PATH .. 'foreign', 'foreign', base.NONE, nil, nil,
    'a frame of another session than the open one'),
  request_in = ProtoField.framenum(PATH .. 'requestIn', 'request in', base.NONE, frametype.REQUEST),
  response_in = ProtoField.framenum(PATH .. 'responseIn', 'response in', base.NONE, frametype.RESPONSE),
  response_time = ProtoField.relative_time(PATH .. 'responseTime', 'time since request'),
}
local E = {
  fault = ProtoExpert.new(PATH .. 'expert.fault', 'bytes that are no frame', expert.group.MALFORMED,
    expert.severity.ERROR),
  rejected = ProtoExpert.new(PATH .. 'expert.rejected', 'a payload that is no message', expert.group.MALFORMED,
    expert.severity.ERROR),
  refused = ProtoExpert.new(PATH .. 'expert.refused', 'the board refused a command', expert.group.RESPONSE_CODE,
    expert.severity.WARN),
  stopped = ProtoExpert.new(PATH .. 'expert.stop', 'stop', expert.group.SEQUENCE, expert.severity.NOTE),
  run_end = ProtoExpert.new(PATH .. 'expert.runEnd', 'a run did not complete', expert.group.RESPONSE_CODE,
    expert.severity.WARN),
  retransmission = ProtoExpert.new(PATH .. 'expert.retransmission', 'a command frame was sent again',
    expert.group.SEQUENCE, expert.severity.NOTE),
  out_of_order = ProtoExpert.new(PATH .. 'expert.outOfOrder', 'a command frame behind a gap',
    expert.group.SEQUENCE, expert.severity.NOTE),
  foreign = ProtoExpert.new(PATH .. 'expert.foreign', 'a frame of another session', expert.group.SEQUENCE,
    expert.severity.NOTE),
  nak = ProtoExpert.new(PATH .. 'expert.nak', 'frames are missing (nak)', expert.group.SEQUENCE,
    expert.severity.NOTE),
  lost = ProtoExpert.new(PATH .. 'expert.lost', 'samples before this block are lost', expert.group.SEQUENCE,
    expert.severity.WARN),
}

local U32_MAX = 4294967295

local function integer_field(path, field)
  local unit = field.unit == '1' and field.doc or field.doc .. ' (' .. field.unit .. ')'
  if field.min < 0 then return ProtoField.int32(path, field.name, base.DEC, nil, nil, unit) end
  if field.max > U32_MAX then return ProtoField.uint64(path, field.name, base.DEC, nil, nil, unit) end
  return ProtoField.uint32(path, field.name, base.DEC, nil, nil, unit)
end

local function proto_field(path, field)
  if field.type == 'integer' then return integer_field(path, field) end
  if field.type == 'choice' then
    return ProtoField.uint32(path, field.name, base.DEC, field.choices, nil, field.doc)
  end
  if field.type == 'text' then return ProtoField.string(path, field.name, base.UNICODE, field.doc) end
  return ProtoField.bytes(path, field.name, base.NONE, field.doc)
end

local function add_fields(rows)
  for _, row in pairs(rows) do
    for _, field in ipairs(row.fields) do
      local path = PATH .. row.path .. '.' .. field.name
      field.proto = proto_field(path, field)
      F[path] = field.proto
      field.bulk = BULK[row.path .. '.' .. field.name]
      if field.type == 'bytes' and field.max > NAME_BYTES_MAX and not field.bulk then
        error('thermolink.lua does not say how to read ' .. path)
      end
      field.bit_protos = {}
      for bit, name in pairs(field.bits or {}) do
        local flag = ProtoField.bool(path .. '.' .. name, name, 8, nil, bit)
        F[path .. '.' .. name] = flag
        field.bit_protos[#field.bit_protos + 1] = {bit = bit, proto = flag}
      end
      table.sort(field.bit_protos, function(a, b) return a.bit < b.bit end)
    end
  end
end

add_fields(TO_DEVICE)
add_fields(TO_HOST)
thermolink.fields = F
thermolink.experts = E

-- Frames (protocol.md, "Frames") ----------------------------------------------------------------------------

-- Lua 5.2 has bit32, Wireshark has brought bit, and later versions of Lua have operators.
local xor = bit32 and bit32.bxor or bit and bit.bxor or load('return function(a, b) return a ~ b end')()

local CRC_TABLE = {}
for i = 0, 255 do
  local crc = i
  for _ = 1, 8 do
    local half = math.floor(crc / 2)
    crc = crc % 2 == 1 and xor(half, 0xEDB88320) % 4294967296 or half
  end
  CRC_TABLE[i] = crc
end

local function crc32(bytes, count)
  local crc = U32_MAX
  for first = 1, count, 4096 do
    local last = math.min(first + 4095, count)
    for i = first, last do
      local low = crc % 256
      crc = xor((crc - low) / 256, CRC_TABLE[xor(low, bytes:byte(i)) % 256]) % 4294967296
    end
  end
  return xor(crc, U32_MAX) % 4294967296
end

-- The content of a COBS block, or nil if it is malformed.
local function unstuff(block)
  local parts = {}
  local at, size = 1, #block
  while at <= size do
    local code = block:byte(at)
    if code == 0 or at + code > size + 1 then return nil end
    parts[#parts + 1] = block:sub(at + 1, at + code - 1)
    at = at + code
    if code < 255 and at <= size then parts[#parts + 1] = '\0' end
  end
  return table.concat(parts)
end

local function little_endian(bytes, at, width)
  local value = 0
  for i = width - 1, 0, -1 do value = value * 256 + bytes:byte(at + i) end
  return value
end

-- The frame between two delimiters as a string, or nil and the kind of fault.
local function frame_of(block)
  if #block > LIMIT.wire_bytes then return nil, 'oversize' end
  local raw = unstuff(block)
  if not raw then return nil, 'cobs' end
  if #raw < LIMIT.header_bytes + LIMIT.crc_bytes then return nil, 'short', raw end
  if #raw > LIMIT.frame_bytes then return nil, 'oversize', raw end
  local stop = #raw - LIMIT.crc_bytes
  if little_endian(raw, stop + 1, LIMIT.crc_bytes) ~= crc32(raw, stop) then return nil, 'crc', raw end
  local flags = raw:byte(4)
  if raw:byte(1) ~= LIMIT.frame_version or not CHANNEL[raw:byte(2)] or
    (flags ~= 0 and flags ~= LIMIT.flag_nak) then
    return nil, 'header', raw
  end
  return raw
end

-- Payloads (protocol.md, "Payloads") ------------------------------------------------------------------------

local NOT_UTF8 = 'text is not UTF-8'
local NOT_SHORTEST = 'not in shortest form'

local function big_endian(bytes, at, width)
  local value = 0
  for i = 0, width - 1 do value = value * 256 + bytes:byte(at + i) end
  return value
end

-- Each reader returns a value and the index after it, or nil and the reason of a rejection. Indices count
-- from 1.

local function is_utf8(bytes, at, stop)
  while at < stop do
    local lead = bytes:byte(at)
    at = at + 1
    if lead >= 0x80 then
      local more = lead < 0xe0 and 1 or lead < 0xf0 and 2 or 3
      if lead < 0xc2 or lead > 0xf4 or at + more > stop then return false end
      local low = lead == 0xe0 and 0xa0 or lead == 0xf0 and 0x90 or 0x80
      local high = lead == 0xed and 0x9f or lead == 0xf4 and 0x8f or 0xbf
      local second = bytes:byte(at)
      if second < low or second > high then return false end
      for i = 1, more - 1 do
        local byte = bytes:byte(at + i)
        if byte < 0x80 or byte > 0xbf then return false end
      end
      at = at + more
    end
  end
  return true
end

local function read_content(bytes, at, length, most, kind)
  if length > most then return nil, 'too long' end
  if at + length > #bytes + 1 then return nil, 'truncated' end
  if kind == 'text' and not is_utf8(bytes, at, at + length) then return nil, NOT_UTF8 end
  return {type = kind, at = at, size = length}, at + length
end

local function read_sized(bytes, at, width, least, kind)
  if at + 1 + width > #bytes + 1 then return nil, 'truncated' end
  local length = big_endian(bytes, at + 1, width)
  if length < least then return nil, NOT_SHORTEST end
  local most = kind == 'text' and LIMIT.text_bytes or LIMIT.frame_bytes
  return read_content(bytes, at + 1 + width, length, most, kind)
end

local function read_unsigned(bytes, at, width, least)
  if at + 1 + width > #bytes + 1 then return nil, 'truncated' end
  local value = big_endian(bytes, at + 1, width)
  if value < least then return nil, NOT_SHORTEST end
  return {type = 'integer', value = value, at = at, size = 1 + width}, at + 1 + width
end

local function read_unsigned64(bytes, at)
  if at + 9 > #bytes + 1 then return nil, 'truncated' end
  local high = big_endian(bytes, at + 1, 4)
  if high == 0 then return nil, NOT_SHORTEST end
  if high >= 2 ^ 21 then return nil, 'integer of 2⁵³ or more' end
  local low = big_endian(bytes, at + 5, 4)
  return {type = 'integer', value = high * 4294967296 + low, at = at, size = 9}, at + 9
end

local function read_negative(bytes, at, width)
  if at + 1 + width > #bytes + 1 then return nil, 'truncated' end
  local span = 256 ^ width
  local value = big_endian(bytes, at + 1, width)
  if value >= span / 2 then value = value - span end
  local least = width == 1 and -32 or width == 2 and -128 or -32768
  if value >= least then return nil, NOT_SHORTEST end
  return {type = 'integer', value = value, at = at, size = 1 + width}, at + 1 + width
end

local read_value

local function read_array(bytes, at, count, depth)
  if depth >= LIMIT.array_depth then return nil, 'nested too deep' end
  if count > LIMIT.array_items then return nil, 'array too long' end
  local items = {type = 'array'}
  for i = 1, count do
    local item, next_at = read_value(bytes, at, depth + 1)
    if not item then return nil, next_at end
    items[i] = item
    at = next_at
  end
  return items, at
end

local READERS = {
  [0xc4] = function(bytes, at) return read_sized(bytes, at, 1, 0, 'bytes') end,
  [0xc5] = function(bytes, at) return read_sized(bytes, at, 2, 256, 'bytes') end,
  [0xc6] = function(bytes, at) return read_sized(bytes, at, 4, 65536, 'bytes') end,
  [0xcc] = function(bytes, at) return read_unsigned(bytes, at, 1, 128) end,
  [0xcd] = function(bytes, at) return read_unsigned(bytes, at, 2, 256) end,
  [0xce] = function(bytes, at) return read_unsigned(bytes, at, 4, 65536) end,
  [0xcf] = function(bytes, at) return read_unsigned64(bytes, at) end,
  [0xd0] = function(bytes, at) return read_negative(bytes, at, 1) end,
  [0xd1] = function(bytes, at) return read_negative(bytes, at, 2) end,
  [0xd2] = function(bytes, at) return read_negative(bytes, at, 4) end,
  [0xd9] = function(bytes, at) return read_sized(bytes, at, 1, 32, 'text') end,
  [0xda] = function(bytes, at) return read_sized(bytes, at, 2, 256, 'text') end,
  [0xdc] = function(bytes, at, depth)
    if at + 3 > #bytes + 1 then return nil, 'truncated' end
    local count = big_endian(bytes, at + 1, 2)
    if count < 16 then return nil, NOT_SHORTEST end
    return read_array(bytes, at + 3, count, depth)
  end,
}

read_value = function(bytes, at, depth)
  if at > #bytes then return nil, 'truncated' end
  local first = bytes:byte(at)
  if first <= 0x7f then return {type = 'integer', value = first, at = at, size = 1}, at + 1 end
  if first >= 0xe0 then return {type = 'integer', value = first - 256, at = at, size = 1}, at + 1 end
  if first >= 0x90 and first <= 0x9f then return read_array(bytes, at + 1, first - 0x90, depth) end
  if first >= 0xa0 and first <= 0xbf then
    return read_content(bytes, at + 1, first - 0xa0, LIMIT.text_bytes, 'text')
  end
  local reader = READERS[first]
  if not reader then return nil, string.format('type 0x%x is not allowed', first) end
  return reader(bytes, at, depth)
end

-- Messages (protocol.md, "Messages") ------------------------------------------------------------------------

local function accepts(field, item)
  if field.type == 'integer' then
    return item.type == 'integer' and field.min <= item.value and item.value <= field.max
  end
  if field.type == 'choice' then return item.type == 'integer' and field.choices[item.value] ~= nil end
  if field.type == 'bytes' then
    return item.type == 'bytes' and field.min <= item.size and item.size <= field.max
  end
  return item.type == 'text' and item.size <= field.max
end

-- The message in a payload: {opcode, request_id, row, items}, with `rejected` if it is no message.
local function message_of(payload, rows, channel)
  local value, after = read_value(payload, 1, 0)
  if not value then return {rejected = after} end
  if after ~= #payload + 1 then return {rejected = (#payload + 1 - after) .. ' bytes after the value'} end
  if value.type ~= 'array' then return {rejected = 'not an array'} end
  local opcode, request_id = value[1], value[2]
  if not opcode or opcode.type ~= 'integer' or opcode.value < 0 or opcode.value > 127 then
    return {rejected = 'no opcode'}
  end
  local message = {opcode = opcode, items = {}}
  if not request_id or request_id.type ~= 'integer' or request_id.value < 0 or request_id.value > U32_MAX then
    message.rejected = 'no request id'
    return message
  end
  message.request_id = request_id
  local row = rows[opcode.value]
  if not row then
    message.rejected = 'unknown opcode'
    return message
  end
  for i, field in ipairs(row.fields) do
    local item = value[i + 2]
    if not item and field.absent then item = {type = 'integer', value = field.absent, absent = true} end
    if not item or not accepts(field, item) then
      message.rejected = 'field ' .. field.name .. ' of ' .. row.name
      return message
    end
    message.items[i] = item
  end
  message.row = row
  if row.channel ~= channel then message.rejected = row.name .. ' on channel ' .. CHANNEL[channel] end
  return message
end

local function field_value(message, name)
  for i, field in ipairs(message.row.fields) do
    if field.name == name then return message.items[i].value end
  end
end

-- What is known of a session from its earlier frames --------------------------------------------------------

local conversations = {}
-- The facts found about each frame when it was seen first. Wireshark asks again in any order.
local known_frames = {}

function thermolink.init()
  conversations = {}
  known_frames = {}
end

local function new_session(nonce)
  -- `expected`: the next new sequence number of the command channel, by direction.
  return {nonce = nonce, expected = {toDevice = 0, toHost = 0}, requests = {}, bits = {}}
end

local function conversation_of(pinfo)
  local key = 'file'
  if pinfo.port_type == 2 then
    local ends = {tostring(pinfo.src) .. ' ' .. pinfo.src_port, tostring(pinfo.dst) .. ' ' .. pinfo.dst_port}
    table.sort(ends)
    key = ends[1] .. ' ' .. ends[2]
  end
  conversations[key] = conversations[key] or {session = new_session(nil)}
  return conversations[key]
end

-- Whether the receiver takes a frame with a payload or drops it (go-back-N).
local function fate_of(session, direction, raw)
  local channel = CHANNEL[raw:byte(2)]
  if channel == 'open' then return 'delivered' end
  if not session.nonce or session.nonce:byte(1) ~= raw:byte(3) then return 'foreign' end
  if #raw == LIMIT.header_bytes + LIMIT.crc_bytes then return 'bare' end
  if channel ~= 'command' then return 'delivered' end
  local seq = little_endian(raw, 5, 2)
  local expected = session.expected[direction]
  if seq == expected then
    session.expected[direction] = (seq + 1) % 65536
    return 'delivered'
  end
  return (expected - seq) % 65536 <= 32768 and 'retransmission' or 'out_of_order'
end

-- HELLO opens a session when the board answers it (protocol.md, "Opening a session").
local function learn_hello(conversation, message, raw, pinfo)
  local item = message.items[1]
  local nonce = raw:sub(LIMIT.header_bytes + item.at, LIMIT.header_bytes + item.at + item.size - 1)
  if message.row.path == 'hello' then
    local asked = conversation.asked
    if not asked or asked.nonce ~= nonce then
      asked = {nonce = nonce, number = pinfo.number, time = pinfo.rel_ts}
      conversation.asked = asked
    end
    asked.purpose = field_value(message, 'purpose')
    return {request = asked}
  end
  local asked = conversation.asked
  if not asked or asked.nonce ~= nonce then return {} end
  asked.answered_in = asked.answered_in or pinfo.number
  if message.row.name == 'hello' then
    local resumed = field_value(message, 'resumed')
    local is_lost = asked.purpose == 1 and resumed == 0
    local is_open = resumed == 1 and conversation.session.nonce == nonce
    if not is_lost and not is_open then conversation.session = new_session(nonce) end
  end
  return {answered = asked}
end

-- Stores the facts of a request that later messages need, and returns the facts that this message needs.
local function learn_request(session, message, pinfo)
  local row = message.row
  local known = {}
  if row.name == 'defineProgram' then
    session.bits[field_value(message, 'bank')] = field_value(message, 'couplingBits')
  elseif row.name == 'writeCouplings' then
    known.bits = session.bits[field_value(message, 'bank')]
  end
  if row.kind ~= 'command' then return known end
  -- Stops share request id 0, and are repeated until they are answered.
  local key = row.channel .. ' ' .. message.request_id.value
  local request = session.requests[key]
  if not request or request.answered_in then
    request = {number = pinfo.number, time = pinfo.rel_ts}
    session.requests[key] = request
  end
  if row.name == 'readProgram' then
    request.section = field_value(message, 'section')
    request.bits = session.bits[field_value(message, 'bank')]
  end
  known.request = request
  return known
end

local function learn_answer(session, message, pinfo)
  local row = message.row
  local request = session.requests[row.channel .. ' ' .. message.request_id.value]
  if not request or (row.kind == 'event' and row.name ~= 'refusal') then return {} end
  request.answered_in = request.answered_in or pinfo.number
  return {answered = request, section = request.section, bits = request.bits}
end

-- The known facts about one frame, computed when it is seen first.
local function known_of(pinfo, index, raw, direction, message)
  local key = pinfo.number .. ' ' .. index
  if known_frames[key] then return known_frames[key] end
  local conversation = conversation_of(pinfo)
  local known = {}
  local fate = fate_of(conversation.session, direction, raw)
  if fate == 'delivered' and message and not message.rejected then
    if message.row.channel == 0 then
      known = learn_hello(conversation, message, raw, pinfo)
    elseif direction == 'toDevice' then
      known = learn_request(conversation.session, message, pinfo)
    else
      known = learn_answer(conversation.session, message, pinfo)
    end
  end
  known.fate = fate
  known_frames[key] = known
  return known
end

-- Trees -----------------------------------------------------------------------------------------------------

local INFO_FIELDS_MAX = 6

-- A number without the fraction that Lua 5.3 and later append to floats.
local function whole(value) return string.format('%.0f', value) end

local function scalar_text(field, item)
  if field.type == 'choice' then return field.choices[item.value] end
  if field.type == 'integer' then return whole(item.value) end
end

-- One code of a bulk field from a string of `width` bytes.
local function code_at(bytes, at, width, is_signed)
  local value = little_endian(bytes, at, width)
  local span = 256 ^ width
  return is_signed and value >= span / 2 and value - span or value
end

-- Width of a code in bytes and whether it has a sign, or nil if that is not known.
local function code_form(bulk, known)
  if bulk == 'i16' then return 2, true end
  if bulk == 'u16' then return 2, false end
  if bulk == 'sums' or bulk == 'opaque' then return nil end
  if bulk == 'section' and known.section and known.section ~= 0 then return 2, true end
  if not known.bits then return nil end
  return known.bits <= BYTE_CODE_BITS and 1 or 2, true
end

local function add_codes(tree, tvb, field, item, known, content)
  local width, is_signed = code_form(field.bulk, known)
  local start = LIMIT.header_bytes + item.at - 1
  local leaf = tree:add(field.proto, tvb(start, item.size))
  if not width or item.size == 0 or item.size % width ~= 0 then return end
  local count = item.size / width
  local least, most, sum = math.huge, -math.huge, 0
  for i = 0, count - 1 do
    local code = code_at(content, item.at + i * width, width, is_signed)
    least, most, sum = math.min(least, code), math.max(most, code), sum + code
  end
  leaf:append_text(string.format(' (%s codes: %s … %s, mean %.6g)', whole(count), whole(least), whole(most),
    sum / count))
  for i = 0, math.min(count, thermolink.prefs.codes) - 1 do
    local code = code_at(content, item.at + i * width, width, is_signed)
    leaf:add(F.code, tvb(start + i * width, width), code)
  end
end

-- The value of an integer as its ProtoField takes it: one of 64 bits takes no plain number.
local function integer_value(field, value)
  if field.type ~= 'integer' or field.min < 0 or field.max <= U32_MAX then return value end
  local high = math.floor(value / 4294967296)
  return UInt64.new(value - high * 4294967296, high)
end

local function add_field(tree, tvb, field, item, known, content)
  if item.absent then
    tree:add(field.proto, integer_value(field, item.value)):append_text(' (left out)'):set_generated()
    return
  end
  local start = LIMIT.header_bytes + item.at - 1
  if field.bulk then
    add_codes(tree, tvb, field, item, known, content)
  elseif field.type == 'text' then
    tree:add(field.proto, tvb(start, item.size), content:sub(item.at, item.at + item.size - 1))
  elseif field.type == 'bytes' then
    tree:add(field.proto, tvb(start, item.size))
  else
    local leaf = tree:add(field.proto, tvb(start, item.size), integer_value(field, item.value))
    for _, bit in ipairs(field.bit_protos) do leaf:add(bit.proto, tvb(start + item.size - 1, 1)) end
  end
end

local function add_links(tree, pinfo, known)
  local request = known.request
  if request and request.answered_in then tree:add(F.response_in, request.answered_in):set_generated() end
  local answered = known.answered
  if not answered then return end
  tree:add(F.request_in, answered.number):set_generated()
  local passed = math.max(0, pinfo.rel_ts - answered.time)
  local seconds = math.floor(passed)
  tree:add(F.response_time, NSTime.new(seconds, math.floor((passed - seconds) * 1e9 + 0.5))):set_generated()
end

local function add_message(tree, tvb, pinfo, message, known, content)
  local row = message.row
  local texts = {}
  for i, field in ipairs(row.fields) do
    local item = message.items[i]
    add_field(tree, tvb, field, item, known, content)
    local text = scalar_text(field, item)
    if text and not item.absent and #texts < INFO_FIELDS_MAX then texts[#texts + 1] = field.name .. '=' .. text end
  end
  add_links(tree, pinfo, known)
  if row.name == 'refusal' or row.name == 'helloRefused' then
    tree:add_proto_expert_info(E.refused, 'refused: ' .. row.fields[row.name == 'refusal' and 1 or 2]
      .choices[field_value(message, 'reason')])
  elseif row.name == 'stop' then
    tree:add_proto_expert_info(E.stopped)
  elseif row.name == 'runEnded' and field_value(message, 'outcome') ~= 0 then
    tree:add_proto_expert_info(E.run_end, 'the run ended: ' .. row.fields[2].choices[field_value(message,
      'outcome')])
  elseif row.name == 'sampleBlock' and field_value(message, 'flags') >= 4 then
    tree:add_proto_expert_info(E.lost)
  end
  return table.concat(texts, ' ')
end

local function add_header(tree, tvb, raw)
  tree:add(F.version, tvb(0, 1))
  tree:add(F.channel, tvb(1, 1))
  tree:add(F.session, tvb(2, 1))
  tree:add(F.flags, tvb(3, 1)):add(F.nak, tvb(3, 1))
  tree:add_le(F.seq, tvb(4, 2))
  tree:add_le(F.ack, tvb(6, 2))
  tree:add(F.payload, #raw - LIMIT.header_bytes - LIMIT.crc_bytes):set_generated()
  tree:add_le(F.crc, tvb(#raw - LIMIT.crc_bytes, LIMIT.crc_bytes))
end

-- Opcode and request id, if they could be read.
local function add_request(tree, tvb, message)
  local offset = LIMIT.header_bytes - 1
  for _, name in ipairs({'opcode', 'request_id'}) do
    local item = message[name]
    if item then tree:add(F[name], tvb(offset + item.at, item.size), item.value) end
  end
end

local function add_fault(tree, range, fault)
  tree:add(F.fault, range, fault)
  tree:add_proto_expert_info(E.fault, string.format('%s: %d bytes are no frame', fault, range:len()))
  return 'fault: ' .. fault .. ', ' .. range:len() .. ' bytes'
end

local FATE_TEXT = {retransmission = '[again]', out_of_order = '[out of order]', foreign = '[other session]'}

-- Shows the block between two delimiters. Returns its text for the info column.
local function dissect_block(range, pinfo, root, direction, index)
  local tree = root:add(thermolink, range)
  if direction then tree:add(F.direction, direction):set_generated() end
  local raw, fault = frame_of(range:raw())
  if not raw then
    tree:append_text(', fault: ' .. fault)
    return add_fault(tree, range, fault)
  end
  local tvb = ByteArray.new(raw, true):tvb('Frame')
  add_header(tree, tvb, raw)
  local payload = raw:sub(LIMIT.header_bytes + 1, #raw - LIMIT.crc_bytes)
  local channel = raw:byte(2)
  local message
  if #payload > 0 and direction then
    message = message_of(payload, direction == 'toDevice' and TO_DEVICE or TO_HOST, channel)
  end
  local known = known_of(pinfo, index, raw, direction or 'toDevice', message)
  local info = {}
  if FATE_TEXT[known.fate] then
    tree:add(F[known.fate], true):set_generated()
    tree:add_proto_expert_info(E[known.fate])
    info[1] = FATE_TEXT[known.fate]
  elseif message then
    tree:add(F.delivered, true):set_generated()
  end
  if raw:byte(4) ~= 0 then
    tree:add_proto_expert_info(E.nak)
    info[#info + 1] = '[nak]'
  end
  if not message then
    info[#info + 1] = #payload == 0 and 'ack ' .. little_endian(raw, 7, 2) or CHANNEL[channel]
    return table.concat(info, ' ')
  end
  local range_of_payload = tvb(LIMIT.header_bytes, #payload)
  if message.rejected then
    local branch = tree:add(F.rejected, range_of_payload, message.rejected)
    add_request(branch, tvb, message)
    branch:add_proto_expert_info(E.rejected, message.rejected)
    info[#info + 1] = 'rejected: ' .. message.rejected
    return table.concat(info, ' ')
  end
  local row = message.row
  local branch = tree:add(F.message, range_of_payload, row.name)
  add_request(branch, tvb, message)
  tree:append_text(', ' .. row.name)
  info[#info + 1] = row.name
  if message.request_id.value > 0 then info[#info + 1] = '#' .. whole(message.request_id.value) end
  info[#info + 1] = add_message(branch, tvb, pinfo, message, known, payload)
  return table.concat(info, ' ')
end

-- The direction of a frame: from the direction flags of the file, or by the port that Decode As names.
local function direction_of(pinfo)
  if pinfo.port_type == 2 then return pinfo.dst_port == pinfo.match_uint and 'toDevice' or 'toHost' end
  if pinfo.p2p_dir == P2P_DIR_SENT then return 'toDevice' end
  if pinfo.p2p_dir == P2P_DIR_RECV then return 'toHost' end
end

local function find_zero(bytes, at)
  local found = bytes:find('\0', at, true)
  return found or #bytes + 1
end

function thermolink.dissector(tvb, pinfo, root)
  local direction = direction_of(pinfo)
  pinfo.cols.protocol = 'Thermolink'
  if direction and pinfo.port_type ~= 2 then
    pinfo.cols.src = direction == 'toDevice' and 'host' or 'board'
    pinfo.cols.dst = direction == 'toDevice' and 'board' or 'host'
  end
  local bytes = tvb:raw()
  local infos = {}
  local at, index = 1, 0
  while at <= #bytes do
    local stop = find_zero(bytes, at)
    if stop > #bytes and pinfo.can_desegment > 0 and stop - at <= LIMIT.wire_bytes then
      pinfo.desegment_offset = at - 1
      pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
      break
    end
    if stop > at then
      index = index + 1
      infos[index] = dissect_block(tvb(at - 1, stop - at), pinfo, root, direction, index)
    end
    at = stop + 1
  end
  if index == 0 then return tvb:len() end
  local arrow = direction == 'toDevice' and '→ ' or direction and '← ' or ''
  pinfo.cols.info = arrow .. table.concat(infos, ' | ')
  return tvb:len()
end

DissectorTable.get('wtap_encap'):add(wtap.USER0, thermolink)
DissectorTable.get('tcp.port'):add_for_decode_as(thermolink)
