"""The makers' own package, for test/lucidac/makers.test.ts.

makers.py decode   reads an envelope as hexadecimal from standard input, prints it as JSON
makers.py serve    serves the package's mock machine, prints its port, ends with standard input
"""

import asyncio
import sys


def decode() -> None:
    from google.protobuf.json_format import MessageToJson
    from pybrid.base.proto import main_pb2

    envelope = main_pb2.Envelope()
    envelope.ParseFromString(bytes.fromhex(sys.stdin.read().strip()))
    print(MessageToJson(envelope, preserving_proto_field_name=True, indent=None))


async def serve() -> None:
    from pybrid.mock.config import DummyDACConfig
    from pybrid.mock.dummy_dac import DummyDAC

    async with DummyDAC("127.0.0.1", 0, DummyDACConfig(lucidac_mode=True)) as mock:
        print(mock._server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if sys.argv[1] == "decode":
    decode()
else:
    asyncio.run(serve())
