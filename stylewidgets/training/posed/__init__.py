"""Pose with Style on avatars: pairs of one avatar in two poses."""
