"""Computes embeddings and relevance scores. Started and watched by the Node front door; speaks with it over one socket, and with nobody else."""
