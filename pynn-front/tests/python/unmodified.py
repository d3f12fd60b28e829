"""Runs a script of somebody else as it is and keeps what it did:

    unmodified.py SCRIPT OUT [ARGUMENT...]

The mapping with the released spikes goes to OUT/twin.bss1, the rates of the recorded populations in
Hz and the duration in ms to OUT/rates.json, when the script ends the simulation."""

import json
import pathlib
import runpy
import sys

import pynn_brainscales1 as sim

script, out = sys.argv[1], pathlib.Path(sys.argv[2])
end = sim.end


def keep(*arguments, **keywords):
    state = sim.simulator.state
    duration, rates = sim.get_current_time(), {}
    if state.ended:
        return 0
    for population in state.populations:
        if "spikes" in population.recorder.variables:
            spikes = len(state.engine.spikes(population)[0])
            rates[population.label] = spikes / population.size / max(duration, 1.0) * 1e3
    (out / "rates.json").write_text(json.dumps({"rates": rates, "duration_ms": duration}))
    if state.engine.name == "emulator":
        sim.map_only()
        sim.save_mapping(out / "twin.bss1")
    return end(*arguments, **keywords)


sim.end = keep
sys.argv = [script, *sys.argv[3:]]
runpy.run_path(script, run_name="__main__")
assert (out / "rates.json").exists(), "the script has not called end()"
