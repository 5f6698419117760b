# Two images from one file: `ledger` runs relay, projector, intake and server and has no torch; `worker` trains and has it.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir "uv>=0.8,<1"
WORKDIR /src
COPY . .
RUN uv venv /opt/lepton && printf "torch ; sys_platform == 'never'\nscikit-learn ; sys_platform == 'never'\n" > /without-torch \
    && uv pip install --python /opt/lepton --overrides /without-torch -c constraints.txt '.[postgres,kafka,cloud,observe,web]'

FROM build AS build-worker
RUN uv pip install --python /opt/lepton -c constraints.txt '.[postgres,kafka,cloud,observe]'

FROM python:3.12-slim AS ledger
ENV PATH=/opt/lepton/bin:$PATH PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1
RUN useradd --create-home lepton && install -d -o lepton /home/lepton/ledger
COPY --from=build /opt/lepton /opt/lepton
USER lepton
WORKDIR /home/lepton
ENTRYPOINT ["lepton"]

FROM ledger AS worker
COPY --from=build-worker /opt/lepton /opt/lepton
