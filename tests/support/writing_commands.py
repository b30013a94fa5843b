"""Every command that writes, with a place that it is to write to: `{place}`, and a folder of images: `{data}`."""

_COMPILE = ["compile", "--image", "i:1", "--pipeline-root", "s3://bucket/x", "--data", "s3://bucket/data"]

WRITING_COMMANDS = [
    ["sample-data", "{place}/faces"],
    [*_COMPILE, "--output", "{place}/a.yaml"],
    ["datasplit", "{place}/data", "--seed", "1"],
    ["datasplit", "{data}", "--seed", "1", "--output-path", "{place}/out"],
    ["predict", "--model", "gone", "{data}", "--csv", "{place}/a.csv"],
    ["predict", "--model", "gone", "{data}", "--explain", "{place}/maps"],
    ["suspects", "--csv", "{place}/a.csv"],
    ["suspects", "--export", "{place}/a.csv"],
    ["suspects", "--import", "{data}/train/a/img0.jpg", "--into", "{place}/a.csv"],
    ["report", "--kubeflow", "http://127.0.0.1:9", "--output", "{place}/a.html"],
    ["run", "--workdir", "{place}/work"],
    ["run", "--workdir", "{place}/data"],
    ["run", "--workdir", "{data}/../work", "--set", "push.destination={place}/models"],
]
REMEDIES = ("Name another", "Make room", "make it first")
