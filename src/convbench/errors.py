"""What a user can cause, and the one base class that the command line catches.

ConvbenchError
├── BadProblem (also ValueError)     shapes or parameters that make no convolution
├── UnsupportedProblem               a strategy that can't do, or shouldn't try, a problem
├── UnknownStrategy (LookupError)    a name that is not in the table
├── MeasureFailed                    asv could not measure; the message says where to look
├── BadResults                       a results file or a store that can't be read
├── BadPlace                         a shared place that can't be reached, read or written
└── BadUsage                         options that contradict each other or name nothing
    └── Busy                         what is needed is held by another measurement
"""


class ConvbenchError(Exception):
    """Base of every error that a user can cause; its text is the whole message."""


class BadProblem(ConvbenchError, ValueError):
    """Shapes or parameters that make no convolution."""


class UnsupportedProblem(ConvbenchError):
    """A strategy can't do this problem, or would need minutes or gigabytes for it."""


class UnknownStrategy(ConvbenchError, LookupError):
    """A name that is not in the table of strategies."""


class MeasureFailed(ConvbenchError):
    """asv could not measure; the message says what to look at."""


class BadResults(ConvbenchError):
    """A results file or a store that can't be read."""


class BadPlace(ConvbenchError):
    """A shared place that can't be reached, read or written."""


class BadUsage(ConvbenchError):
    """Options that contradict each other or name nothing that exists."""


class Busy(BadUsage):
    """What is needed is held by another measurement; later it will not be."""
