"""Live performances: from a camera to Action Unit values while the actor plays.

    sources      where pictures come from: a camera, a video played at its own pace, a folder that is being filled
    session      one live performance, from start to stop: what callers use
    filtering    One-Euro filters, rest, lost and returning faces: no threads, no clock of its own
    sending      faces for another program on this machine, in the packets of face capture apps
    recording    what is kept of a performance: a take, and the camera's pictures

Nothing here is imported before it is needed.
"""
