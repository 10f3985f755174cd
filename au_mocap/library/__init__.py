"""A folder of takes: what is in it, what is noted about each take, how takes are found again and shown.

`scanning` lists a folder, `notes` holds actor, tags and notes beside each take, `query` searches, `clips` tells where a
take's video is, `relinking` finds videos that have moved, `thumbnails` makes pictures. A take itself is never altered.
"""
