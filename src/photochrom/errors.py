"""Every error that a user can cause.

    PhotochromError
    ├── OptionError               an option or argument that makes no sense       exit 2, 400
    │   ├── HintError             a hint or hints file that makes no sense
    │   ├── GuidanceError         a reference, palette or proposal asked in vain
    │   ├── RecipeError           a recipe with a bad key or value
    │   └── MissingExtra          the feature needs an optional dependency
    ├── PhotoError                a photo that gives no picture                   exit 1, 422
    │   ├── UnknownFormat         not a picture in a format that is read          415
    │   ├── DamagedPhoto          broken, truncated or hostile bytes
    │   └── TooLarge              more pixels than the limit allows
    ├── WriteError                the result could not be stored                  exit 1
    │   └── OutputExists          the target is already there
    ├── ModelError                a model that cannot be used                     exit 1
    │   ├── UnknownModel          no model of that name, none on disk             exit 4
    │   └── UnsupportedReading    the model's head cannot give what was asked
    ├── DataError                 data that cannot be trained or evaluated on     exit 1
    └── TrainingError             training that cannot go on                      exit 1
        └── CheckpointError       a checkpoint of another network or version

An error carries the exit code of the command line and the status and problem type (RFC 9457) of
the server. Its message is one plain sentence that says what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class PhotochromError(Exception):
    """The root of all errors raised on purpose."""

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 422
    problem: ClassVar[str] = "unprocessable"


class OptionError(PhotochromError):
    exit_code = 2
    status = 400
    problem = "bad-option"


class HintError(OptionError):
    problem = "bad-hint"


class GuidanceError(OptionError):
    problem = "bad-guidance"


class RecipeError(OptionError):
    problem = "bad-recipe"


class MissingExtra(OptionError):
    """An optional dependency is not installed."""

    problem = "missing-extra"

    def __init__(self, feature: str, extra: str):
        super().__init__(f"{feature} needs the extra [{extra}]: pip install 'photochrom[{extra}]'")


class PhotoError(PhotochromError):
    problem = "bad-photo"


class UnknownFormat(PhotoError):
    status = 415
    problem = "unknown-format"


class DamagedPhoto(PhotoError):
    problem = "damaged-photo"


class TooLarge(PhotoError):
    problem = "too-large"


class WriteError(PhotochromError):
    problem = "not-written"


class OutputExists(WriteError):
    problem = "output-exists"


class ModelError(PhotochromError):
    problem = "bad-model"


class UnknownModel(ModelError):
    exit_code = 4
    status = 400
    problem = "unknown-model"


class UnsupportedReading(ModelError):
    status = 400
    problem = "unsupported-reading"


class DataError(PhotochromError):
    problem = "bad-data"


class TrainingError(PhotochromError):
    problem = "training-failed"


class CheckpointError(TrainingError):
    problem = "bad-checkpoint"
