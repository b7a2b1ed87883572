# Two stages: the first has the compiler and builds, the second has only what runs.
FROM node:20-bookworm AS build
WORKDIR /app
COPY . .
RUN node scripts/setup.cjs && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
RUN apt-get update -qq \
 && apt-get install -y --no-install-recommends tini gstreamer1.0-tools gstreamer1.0-plugins-base \
      gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-nice \
      gstreamer1.0-rtsp \
      glib-networking \
      libgstrtspserver-1.0-0 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build --chown=node:node /app /app
RUN install -d -o node -g node -m 0700 /data
USER node
ENV NODE_ENV=production OBSCURA_DATA=/data
VOLUME /data
EXPOSE 8080 8081 8554
HEALTHCHECK --interval=30s --timeout=3s --start-period=15s \
  CMD node -e "fetch('http://127.0.0.1:'+(process.env.OBSCURA_HTTP_PORT||8080)+'/readyz?exclude=camera').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"
ENTRYPOINT ["tini", "--"]
CMD ["node", "dist/main.js"]
