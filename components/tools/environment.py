"""The environment variables by which a runner tells components what doesn't change their results."""

PROGRESS = "PIPELINE_PROGRESS"  # the file that progress is reported in
BEAM = "PIPELINE_BEAM"  # Beam's options as JSON: where work runs changes nothing of its result
GPUS = "PIPELINE_GPUS"  # how many GPUs were asked for, so that their lack is an error
PASSWORDS = "PIPELINE_PASSWORDS"  # what `***` stands for in URLs, as JSON
