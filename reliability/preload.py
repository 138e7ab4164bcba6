"""What processes have imported when they begin, so that a job's own time is what is killed."""

HEAVY = [
    "galsim",
    "hats",
    "lightning",
    "matplotlib.pyplot",
    "zoobot.pytorch.training.finetune",
    "reliability.campaigns",
    "zoolens.catalog.evaluation.figures",
    "zoolens.jobs.adopt",
    "zoolens.jobs.evaluate",
    "zoolens.jobs.explain",
    "zoolens.jobs.pipeline",
    "zoolens.jobs.select",
    "zoolens.jobs.simulate",
    "zoolens.jobs.train",
]
