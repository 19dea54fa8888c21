"""An embedded model for Jackfield: the component type ``conversation.llamacpp`` and the command ``jackfield pull``.

Nothing is imported here: a command should not have to load what serving needs, and the other way round.
"""
