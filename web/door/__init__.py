"""The door of the server: who comes in, by which names and tokens, with what rights, and what one of them may take.

Begin with access.py, through which every request goes. It imports the room that it is the door of, and no route.
"""
