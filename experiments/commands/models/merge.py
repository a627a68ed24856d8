"""`dilemmas merge`: a tuned student as a model of its own, for other programs."""

from dataclasses import asdict
from pathlib import Path

import click

from dilemmas.agents.models.model_files import split_spec
from dilemmas.agents.models.networks.number_formats import PLAIN_FORMATS
from dilemmas.envs.seals import RESULTS
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.options import Location, json_option, print_json
from dilemmas.experiments.commands.studies.report import finished_study
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.study.report import alignment_section


@click.command()
@click.argument("model", metavar="MODEL+ADAPTER", shell_complete=completion.models)
@click.option("--out", type=Location(file_okay=False), required=True, help="Folder of the merged model.")
@click.option(
    "--dtype",
    type=click.Choice(PLAIN_FORMATS),
    default="float32",
    show_default=True,
    help="Data type of the weights; the update is added in float32 whatever it is.",
)
@click.option(
    "--gguf", is_flag=True, help="Also write gguf/model.gguf, for llama.cpp (Llama; Gemma 3 from a GGUF file)."
)
@json_option
def command(model: str, out: Path, dtype: str, gguf: bool, as_json: bool) -> None:
    """Merge an adapter into its base model: a folder that transformers, vLLM and others read without PEFT.

    MODEL+ADAPTER is a model with an adapter as in `dilemmas agents`, the directory of an adapter that names its base,
    or the folder of `dilemmas distill` or `dilemmas replicate`. A folder that holds anything else is never written to.

    \b
    dilemmas merge runs/tft --out merged
    dilemmas merge gguf:model.gguf+runs/tft/adapter --out merged --gguf --dtype float16
    """
    from dilemmas.training.artefacts.merging import merge_adapter

    merged, written = merge_adapter(model, out, dtype, gguf, _alignment(model))
    if as_json:
        print_json({**asdict(merged), "out": str(out), "written": written})
    else:
        echo(f"{out}: {merged.model} in {merged.dtype}{', and as gguf/model.gguf' if gguf else ''}")


def _alignment(spec: str) -> str:
    """What the study that an adapter is of has measured; empty without a finished study."""
    model, adapter = split_spec(spec)
    folder = Path(adapter or model).expanduser().resolve()
    run = folder.parent if folder.name == "adapter" else folder
    return alignment_section(finished_study(run)[1]) if (run / RESULTS).is_file() else ""
