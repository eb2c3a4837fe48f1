"""The facts about a board in its answer to HELLO."""

from dataclasses import dataclass
from typing import Any, Mapping

from ..wire.tables import FEATURE, FULL_SCALE


@dataclass(frozen=True)
class Identity:
    """Sizes and ranges of a board. They turn codes into volts and ticks into seconds; `rail` is in 2⁻²⁴ V_fs,
    `noise_temperature_min` in 10⁻¹² V_fs², one tick is 2^(−tick_log2) τ (protocol.md, "Messages")."""

    model: str
    serial_number: str
    firmware_version: str
    boot_epoch: int
    cells: int
    rows: int
    banks: int
    coupling_bits: int
    drive_bits: int
    adc_bits: int
    tau_ns: int
    tick_log2: int
    full_scale_microvolts: int
    rail: int
    drive_range: int
    noise_shift_min: int
    noise_shift_max: int
    noise_temperature_min: int
    row_scale_max: int
    keep_blocks_max: int
    has_dense: bool
    has_factored: bool
    has_hold: bool

    @property
    def tick(self) -> float:
        """h in τ."""
        return 2.0**-self.tick_log2

    @property
    def rail_volts(self) -> float:
        """The rail in V_fs."""
        return self.rail / FULL_SCALE

    @property
    def adc_step(self) -> float:
        """One step of the ADC in V_fs: b bits over ±2 V_fs."""
        return 2.0 ** (2 - self.adc_bits)

    @property
    def drive_step(self) -> float:
        """One step of the drive DAC in V_fs·G_fs: b bits over ±R."""
        return self.drive_range * 2.0 ** (1 - self.drive_bits)


def identity_of(hello: Mapping[str, Any]) -> Identity:
    """The identity in the answer to HELLO."""
    features = hello["features"]
    return Identity(
        model=hello["model"],
        serial_number=hello["serialNumber"],
        firmware_version=hello["firmwareVersion"],
        boot_epoch=hello["bootEpoch"],
        cells=hello["cells"],
        rows=hello["rows"],
        banks=hello["banks"],
        coupling_bits=hello["couplingBits"],
        drive_bits=hello["driveBits"],
        adc_bits=hello["adcBits"],
        tau_ns=hello["tauNs"],
        tick_log2=hello["tickLog2"],
        full_scale_microvolts=hello["fullScaleMicrovolts"],
        rail=hello["rail"],
        drive_range=hello["driveRange"],
        noise_shift_min=hello["noiseShiftMin"],
        noise_shift_max=hello["noiseShiftMax"],
        noise_temperature_min=hello["noiseTemperatureMin"],
        row_scale_max=hello["rowScaleMax"],
        keep_blocks_max=hello["keepBlocksMax"],
        has_dense=features & FEATURE["dense"] != 0,
        has_factored=features & FEATURE["factored"] != 0,
        has_hold=features & FEATURE["hold"] != 0,
    )
